import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Button, Label, Radio, RadioGroup } from 'react-aria-components';

import { openedChallenge } from '../api/calls';
import type { Challenge, Method, Purpose, VerifyAnswer, Way } from '../api/types';
import { isSent, sentSentence } from '../sent';
import { isKey } from '../text';
import { useAnnounce } from '../ui/announce';
import { CodeField, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { SendButton, SentTo, useWait } from '../ui/sent-code';
import { useVerification } from './challenge';
import { keyOf, wayName } from './methods';

interface Props {
  ways: [Way, ...Way[]]; // that can prove it, the one to offer first
  purpose: Purpose;
  more?: ReactNode; // beside the button
  onDone: (answer: VerifyAnswer) => void;
  onFailed: (failure: unknown) => void;
}

// Prove asks for a proof in one of some ways.
export function Prove({ ways, purpose, more, onDone, onFailed }: Props) {
  const [way, setWay] = useState(ways[0]);
  const [sent, setSent] = useState<{ of: string; code: Challenge } | null>(null);
  const only = ways.length === 1;
  const announce = useAnnounce();
  const wait = useWait();
  const verification = useVerification(purpose);
  const answer = useMutation({
    mutationFn: (code: string) => (isKey(way.method) ? verification.touch(way.method) : verification.answer(way, code)),
    onSuccess: onDone,
    onError: onFailed,
  });
  const send = useMutation({
    mutationFn: verification.send,
    onSuccess: (code, by) => {
      wait.sent();
      setSent({ of: keyOf(by), code });
      answer.reset();
      announce(sentSentence(by, code.sent_to ?? ''));
    },
    onError: (failure) => {
      wait.refused(failure);
      onFailed(failure);
    },
  });
  // Where there is no choice the code is sent at once. Once, when the question
  // comes.
  useEffect(() => {
    if (only && isSent(way.method)) send.mutate(way);
  }, []);
  const choose = (key: string) => {
    const chosen = ways.find((w) => keyOf(w) === key);
    if (!chosen) return;
    setWay(chosen);
    answer.reset();
    send.reset();
  };
  const under = sent?.of === keyOf(way) ? sent.code : null;
  return (
    <>
      {!only && (
        <RadioGroup value={keyOf(way)} onChange={choose}>
          <Label>How do you want to verify?</Label>
          {ways.map((w) => <Radio key={keyOf(w)} value={keyOf(w)}><span className="dot" aria-hidden="true" />{wayName(w)}</Radio>)}
        </RadioGroup>
      )}
      {isKey(way.method) && (
        <>
          <p>{keyHint(way.method)}</p>
          <Failure of={answer.error} />
          <div className="actions">
            <Button className={answer.isPending ? 'primary busy' : 'primary'} autoFocus={only}
              onPress={() => { if (!answer.isPending) answer.mutate(''); }}>Verify</Button>
            {more}
          </div>
        </>
      )}
      <Failure of={send.error} />
      {under && <SentTo way={way} code={under} look={openedChallenge} />}
      {send.isPending && !under && <Loading />}
      {isSent(way.method) && (
        <div className="actions">
          <SendButton way={way} again={under !== null} wait={wait} pending={send.isPending} onSend={() => send.mutate(way)} />
          {!under && more}
        </div>
      )}
      {!isKey(way.method) && (under || !isSent(way.method)) && (
        <FilledForm key={keyOf(way) + (under?.id ?? '')} submit="Verify" fields={['code']} pending={answer.isPending} failure={answer.error}
          onFill={(values) => answer.mutate(values['code'] ?? '')} more={more}>
          <CodeField way={way} />
        </FilledForm>
      )}
    </>
  );
}

const keyHint = (method: Method) =>
  (method === 'biometric' ? 'The browser asks for your finger, your face, or what else unlocks this device.' : 'Have your security key at hand: the browser asks you to touch it.');
