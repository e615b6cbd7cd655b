import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Button, Label, Radio, RadioGroup } from 'react-aria-components';

import { signOut } from '../api/calls';
import { Problem } from '../api/problem';
import type { Method, VerifyAnswer } from '../api/types';
import { useVerification, type Verification } from '../stepup/challenge';
import { methodName } from '../text';
import { useAnnounce } from '../ui/announce';
import { CodeField, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';

interface Props {
  methods: Method[];
  onDone: (answer: VerifyAnswer) => void;
  onStartAgain: (why?: string) => void;
}

// FactorStep asks for the code with which a sign-in is finished.
export function FactorStep({ methods, onDone, onStartAgain }: Props) {
  // A recovery code is the last resort, whenever it was made.
  const known = (['otp', 'email', 'recovery_code'] as const).filter((m) => methods.includes(m));
  const [method, setMethod] = useState<Method>(known[0] ?? 'otp');
  const verification = useVerification('login');
  const tooLate = (failure: unknown) => {
    if (failure instanceof Problem && failure.status === 401) onStartAgain('Signing in took too long. Start again.');
  };
  const answer = useMutation({
    mutationFn: (code: string) => verification.answer(method, code),
    onSuccess: onDone,
    onError: tooLate,
  });
  const startAgain = async () => {
    await signOut().catch(() => undefined);
    onStartAgain();
  };
  return (
    <Page title="Enter your code" narrow>
      {known.length > 1 && (
        <RadioGroup value={method} onChange={(m) => { setMethod(m); answer.reset(); }}>
          <Label>How do you want to verify?</Label>
          {known.map((m) => <Radio key={m} value={m}><span className="dot" aria-hidden="true" />{methodName(m)}</Radio>)}
        </RadioGroup>
      )}
      {method === 'email' && <MailedCode verification={verification} onSent={answer.reset} onFailed={tooLate} />}
      <FilledForm key={method} submit="Verify" fields={['code']} pending={answer.isPending} failure={answer.error}
        onFill={(values) => answer.mutate(values['code'] ?? '')}
        more={<Button onPress={startAgain}>Start again</Button>}>
        <CodeField method={method} />
      </FilledForm>
    </Page>
  );
}

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
