import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Button, Label, Radio, RadioGroup } from 'react-aria-components';

import type { Method, Purpose, VerifyAnswer } from '../api/types';
import { isKey, methodName } from '../text';
import { useAnnounce } from '../ui/announce';
import { CodeField, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { useVerification, type Verification } from './challenge';

interface Props {
  methods: [Method, ...Method[]]; // that can prove it, the one to offer first
  purpose: Purpose;
  more?: ReactNode; // beside the button
  onDone: (answer: VerifyAnswer) => void;
  onFailed: (failure: unknown) => void;
}

// Prove asks for a proof by one of some methods.
export function Prove({ methods, purpose, more, onDone, onFailed }: Props) {
  const [method, setMethod] = useState(methods[0]);
  const verification = useVerification(purpose);
  const answer = useMutation({
    mutationFn: (code: string) => (isKey(method) ? verification.touch(method) : verification.answer(method, code)),
    onSuccess: onDone,
    onError: onFailed,
  });
  return (
    <>
      {methods.length > 1 && (
        <RadioGroup value={method} onChange={(m) => { setMethod(m); answer.reset(); }}>
          <Label>How do you want to verify?</Label>
          {methods.map((m) => <Radio key={m} value={m}><span className="dot" aria-hidden="true" />{methodName(m)}</Radio>)}
        </RadioGroup>
      )}
      {method === 'email' && <MailedCode verification={verification} onSent={answer.reset} onFailed={onFailed} />}
      {isKey(method) ? (
        <>
          <p>{keyHint(method)}</p>
          <Failure of={answer.error} />
          <div className="actions">
            <Button className={answer.isPending ? 'primary busy' : 'primary'} autoFocus={methods.length === 1}
              onPress={() => { if (!answer.isPending) answer.mutate(''); }}>Verify</Button>
            {more}
          </div>
        </>
      ) : (
        <FilledForm key={method} submit="Verify" fields={['code']} pending={answer.isPending} failure={answer.error}
          onFill={(values) => answer.mutate(values['code'] ?? '')} more={more}>
          <CodeField method={method} />
        </FilledForm>
      )}
    </>
  );
}

const keyHint = (method: Method) =>
  (method === 'biometric' ? 'The browser asks for your finger, your face, or what else unlocks this device.' : 'Have your security key at hand: the browser asks you to touch it.');

// MailedCode has a code mailed at once, says where to, and has another one
// mailed on request.
function MailedCode({ verification, onSent, onFailed }: {
  verification: Verification; onSent: () => void; onFailed: (failure: unknown) => void;
}) {
  const announce = useAnnounce();
  const send = useMutation({
    mutationFn: verification.send,
    onSuccess: (challenge) => {
      onSent();
      announce(sentence(challenge.sent_to));
    },
    onError: onFailed,
  });
  // Once, when the method is chosen.
  useEffect(() => send.mutate(), []);
  return (
    <>
      <Failure of={send.error} />
      {send.isPending ? <Loading /> : send.data && <p>{sentence(send.data.sent_to)} It may take a minute to arrive.</p>}
      <div className="actions">
        <Button className={send.isPending ? 'busy' : 'plain'} onPress={() => { if (!send.isPending) send.mutate(); }}>Mail me a new code</Button>
      </div>
    </>
  );
}

const sentence = (to?: string) => `A code was mailed to ${to || 'your address'}.`;
