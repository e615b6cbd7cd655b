import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';

import { confirmEnrolment, enrol } from '../api/calls';
import type { Options } from '../api/client';
import { Problem } from '../api/problem';
import type { ConfirmAnswer, Enrolment, Method } from '../api/types';
import { createKey, usesKeys } from '../api/webauthn';
import { isKey, methodName, offered, svgImage } from '../text';
import { CodeField, Field, FilledForm } from './fields';
import { Notice } from './notice';

interface Props {
  methods: Method[]; // that may be set up
  options?: Options;
  onDone: (recoveryCodes: string[]) => void;
  onFailed?: (failure: unknown) => void; // of the first step
}

// MethodEnrolment sets up a sign-in method: which one, and how it is called,
// then what it takes.
export function MethodEnrolment({ methods, options = {}, onDone, onFailed }: Props) {
  const choices = offered(methods, usesKeys()).filter((m) => m in about);
  const [method, setMethod] = useState<Method | undefined>(choices[0]);
  const [pending, setPending] = useState<Enrolment | null>(null);
  const done = (answer: ConfirmAnswer) => onDone(answer.recovery_codes);
  const begin = useMutation({
    mutationFn: async ({ of, name }: { of: Method; name: string }): Promise<Enrolment | ConfirmAnswer> => {
      const begun = await enrol(of, name, options);
      if (!isKey(of)) return begun;
      if (!begun.webauthn) throw new Problem(0, 'unreadable_answer', 'The answer of the server could not be read. Try again.');
      return confirmEnrolment(begun.id, { credential: await createKey(begun.webauthn) }, options);
    },
    onSuccess: (answer) => ('factor' in answer ? done(answer) : setPending(answer)),
    onError: (failure) => onFailed?.(failure),
  });
  const confirm = useMutation({
    mutationFn: (code: string) => confirmEnrolment(pending?.id ?? '', { code }, options),
    onSuccess: done,
  });
  if (!method) return <Notice kind="warning">This browser can set up none of the methods that are allowed here. Use another browser or device.</Notice>;
  if (!pending) {
    return (
      <>
        <RadioGroup value={method} onChange={(m) => { setMethod(m); begin.reset(); }}>
          <Label>Method</Label>
          {choices.map((m) => <Radio key={m} value={m}><span className="dot" aria-hidden="true" />{methodName(m)}</Radio>)}
        </RadioGroup>
        <p>{about[method]?.hint}</p>
        <FilledForm key={method} submit="Next" fields={['name']} pending={begin.isPending} failure={begin.error}
          onFill={(values) => begin.mutate({ of: method, name: values['name'] ?? '' })}>
          <Field name="name" label="Name of the device" autoComplete="off" defaultValue={about[method]?.name ?? ''}
            hint="So that you know it again, such as “My phone”." />
        </FilledForm>
      </>
    );
  }
  return (
    <>
      <p>Scan this image with your authenticator app, or type the key into it.</p>
      <img className="qr" src={svgImage(pending.qr_svg)} width="220" height="220"
        alt="QR code with the key of your sign-in method; the key is written below it" />
      <p>Key: <code className="key" data-secret>{pending.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
      <FilledForm submit="Confirm" fields={['code']} pending={confirm.isPending} failure={confirm.error}
        onFill={(values) => confirm.mutate(values['code'] ?? '')}>
        <CodeField />
      </FilledForm>
    </>
  );
}

const about: Partial<Record<Method, { name: string; hint: string }>> = {
  hardware_key: { name: 'Security key', hint: 'A key that you plug in or hold against the device, and touch.' },
  biometric: { name: 'This device', hint: 'This device checks your finger, your face, or what else unlocks it. It can sign you in without a password, where your workspace allows that.' },
  otp: { name: 'Authenticator app', hint: 'An app on your phone that shows a new code every half minute.' },
};
