import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Label, Radio, RadioGroup } from 'react-aria-components';

import { confirmEnrolment, enrol, pendingEnrolment } from '../api/calls';
import type { Options } from '../api/client';
import { isCode, Problem } from '../api/problem';
import type { ConfirmAnswer, Enrolment, Factors, Method, NewFactor, Proof, Way } from '../api/types';
import { createKey, usesKeys } from '../api/webauthn';
import { callOrText, codeEnded, isSent, sentSentence, waiting } from '../sent';
import { isKey, methodName, offered, svgImage } from '../text';
import { useAnnounce } from './announce';
import { ChoiceField, CodeField, Field, FilledForm } from './fields';
import { Failure, Notice } from './notice';
import { SendButton, SentTo, useWait } from './sent-code';

interface Props {
  held: Factors;
  options?: Options;
  onDone: (recoveryCodes: string[]) => void;
  onFailed?: (failure: unknown) => void; // of the first step
}

// A Begun method waits for what confirms it.
interface Begun {
  wanted: NewFactor;
  as: Enrolment;
}

// MethodEnrolment sets up a sign-in method: which one, and how it is called,
// then what it takes.
export function MethodEnrolment({ held, options = {}, onDone, onFailed }: Props) {
  const choices = offered(held.enrol_methods, usesKeys()).filter((m) => m in about && !(m === 'email' && held.results.some((f) => f.method === m)));
  const [method, setMethod] = useState<Method | undefined>(choices[0]);
  const [begun, setBegun] = useState<Begun | null>(null);
  const announce = useAnnounce();
  const wait = useWait();
  const done = (answer: ConfirmAnswer) => onDone(answer.recovery_codes);
  const begin = useMutation({
    mutationFn: async (wanted: NewFactor): Promise<Enrolment | ConfirmAnswer> => {
      const as = await enrol(wanted, options);
      if (!isKey(wanted.method)) return as;
      if (!as.webauthn) throw new Problem(0, 'unreadable_answer', 'The answer of the server could not be read. Try again.');
      return confirmEnrolment(as.id, { credential: await createKey(as.webauthn) }, options);
    },
    onSuccess: (answer, wanted) => {
      if ('factor' in answer) return done(answer);
      if (isSent(wanted.method)) {
        wait.sent();
        announce(sentSentence(wanted, answer.sent_to ?? ''));
      }
      setBegun({ wanted, as: answer });
    },
    onError: (failure) => {
      wait.refused(failure);
      onFailed?.(failure);
    },
  });
  const confirm = useMutation({
    mutationFn: async (proof: Proof) => {
      try {
        return await confirmEnrolment(begun?.as.id ?? '', proof, options);
      } catch (failure) {
        throw begun && isSent(begun.wanted.method) && isCode(failure, 'not_found') ? codeEnded() : failure;
      }
    },
    onSuccess: done,
  });
  if (!method) return <Notice kind="warning">This browser can set up none of the methods that are allowed here. Use another browser or device.</Notice>;
  const sent = isSent(method);
  if (!begun) {
    const left = sent ? wait.left : 0;
    return (
      <>
        <RadioGroup value={method} onChange={(m) => { setMethod(m); begin.reset(); }}>
          <Label>Method</Label>
          {choices.map((m) => <Radio key={m} value={m}><span className="dot" aria-hidden="true" />{methodName(m)}</Radio>)}
        </RadioGroup>
        <p>{about[method]?.hint}</p>
        <FilledForm key={method} submit={waiting(sent ? 'Send a code' : 'Next', left)} fields={['name', 'phone', 'via']} pending={begin.isPending || left > 0}
          failure={begin.error} onFill={(values) => begin.mutate(wantedOf(method, values, held))}>
          <Field name="name" label={method === 'email' ? 'Name' : 'Name of the device'} autoComplete="off" defaultValue={about[method]?.name ?? ''}
            hint={`So that you know it again${method === 'email' ? '' : ', such as “My phone”'}.`} />
          {method === 'phone' && <PhoneFields held={held} />}
        </FilledForm>
      </>
    );
  }
  return (
    <>
      {sent ? <SentTo way={begun.wanted} code={begun.as} look={pendingEnrolment} /> : <AppKey of={begun.as} />}
      {sent && <Failure of={begin.error} />}
      {sent && (
        <div className="actions">
          <SendButton way={begun.wanted} again wait={wait} pending={begin.isPending} onSend={() => { confirm.reset(); begin.mutate(begun.wanted); }} />
          <Button onPress={() => { setBegun(null); begin.reset(); confirm.reset(); }}>
            {method === 'phone' ? 'Use another number or method' : 'Use another method'}
          </Button>
        </div>
      )}
      <FilledForm key={begun.as.id} submit="Confirm" fields={['code']} pending={confirm.isPending} failure={confirm.error}
        onFill={(values) => confirm.mutate({ code: values['code'] ?? '' })}>
        <CodeField way={begun.wanted} />
      </FilledForm>
    </>
  );
}

function PhoneFields({ held }: { held: Factors }) {
  const ways = held.phone_vias.map((via): Way => ({ method: 'phone', via }));
  return (
    <>
      <Field name="phone" label="Phone number" autoComplete="tel" inputMode="tel" hint="With its country, such as +31 6 12345678." />
      {ways.length > 1 && (
        <ChoiceField name="via" label="Codes come by" defaultValue={ways[0]?.via ?? ''}
          choices={ways.map((way) => ({ value: way.via ?? '', label: callOrText(way) }))} />
      )}
    </>
  );
}

// wantedOf reads what was filled in. People write numbers in groups; the API
// takes digits.
function wantedOf(method: Method, values: Record<string, string>, held: Factors): NewFactor {
  const wanted = { method, name: values['name'] ?? '' };
  if (method !== 'phone') return wanted;
  const via = values['via'] ?? held.phone_vias[0];
  return { ...wanted, phone: (values['phone'] ?? '').replace(/[\s()./-]/g, ''), ...(via ? { via } : {}) };
}

function AppKey({ of: { qr_svg: image, secret } }: { of: Enrolment }) {
  return (
    <>
      <p>Scan this image with your authenticator app, or type the key into it.</p>
      <img className="qr" src={svgImage(image)} width="220" height="220"
        alt="QR code with the key of your sign-in method; the key is written below it" />
      <p>Key: <code className="key" data-secret>{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
    </>
  );
}

const about: Partial<Record<Method, { name: string; hint: string }>> = {
  hardware_key: { name: 'Security key', hint: 'A key that you plug in or hold against the device, and touch.' },
  biometric: { name: 'This device', hint: 'This device checks your finger, your face, or what else unlocks it. It can sign you in without a password, where your workspace allows that.' },
  otp: { name: 'Authenticator app', hint: 'An app on your phone that shows a new code every half minute.' },
  email: { name: 'E-mail', hint: 'A code is mailed to the address of your account. Whoever can read that mailbox can use it: a key or an app protects better.' },
  phone: { name: 'Phone', hint: 'A code is sent to the number. Whoever gets hold of the number can use it: a key or an app protects better.' },
};
