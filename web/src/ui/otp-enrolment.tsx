import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { confirmEnrolment, enrol } from '../api/calls';
import type { Options } from '../api/client';
import type { Enrolment } from '../api/types';
import { svgImage } from '../text';
import { CodeField, Field, FilledForm } from './fields';

interface Props {
  options?: Options;
  onDone: (recoveryCodes: string[]) => void;
  onFailed?: (failure: unknown) => void; // of the first step
}

// OtpEnrolment sets up an authenticator app: a name, then the secret as image
// and text with a code to confirm it.
export function OtpEnrolment({ options = {}, onDone, onFailed }: Props) {
  const [pending, setPending] = useState<Enrolment | null>(null);
  const begin = useMutation({
    mutationFn: (name: string) => enrol(name, options),
    onSuccess: setPending,
    onError: (failure) => onFailed?.(failure),
  });
  const confirm = useMutation({
    mutationFn: (code: string) => confirmEnrolment(pending?.id ?? '', code, options),
    onSuccess: (answer) => onDone(answer.recovery_codes),
  });
  if (!pending) {
    return (
      <FilledForm submit="Next" fields={['name']} pending={begin.isPending} failure={begin.error}
        onFill={(values) => begin.mutate(values['name'] ?? '')}>
        <Field name="name" label="Name of the device" autoComplete="off" defaultValue="Authenticator app"
          hint="So that you know it again, such as “My phone”." />
      </FilledForm>
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
