import { useMutation } from '@tanstack/react-query';

import { changePassword } from '../api/calls';
import { FilledForm, PasswordField } from './fields';

export const newPasswordHint = 'At least 15 characters. A few random words do well; no rules about digits or signs.';

// PasswordChange replaces one's own password.
export function PasswordChange({ onDone }: { onDone: () => void }) {
  const change = useMutation({
    mutationFn: (v: Record<string, string>) => changePassword(v['current'] ?? '', v['password'] ?? ''),
    onSuccess: onDone,
  });
  return (
    <FilledForm submit="Change password" label="Password" fields={['current', 'password']} pending={change.isPending} failure={change.error}
      onFill={(values, reset) => change.mutate(values, { onSuccess: reset })}>
      <PasswordField name="current" label="Present password" autoComplete="current-password" />
      <PasswordField name="password" label="New password" autoComplete="new-password" hint={newPasswordHint} />
    </FilledForm>
  );
}
