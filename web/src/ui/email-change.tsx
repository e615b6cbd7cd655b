import { useMutation } from '@tanstack/react-query';
import { Button } from 'react-aria-components';

import type { User } from '../api/types';
import { useAnnounce } from './announce';
import { Field, FilledForm } from './fields';
import { Failure, Notice } from './notice';

// EmailChange asks for another address of an account. It counts when the link
// that is mailed there was opened.
export function EmailChange({ of: user, save }: { of: User; save: (email: string) => Promise<User> }) {
  const announce = useAnnounce();
  const change = useMutation({
    mutationFn: save,
    onSuccess: (after) => announce(after.pending_email ? mailed(after.pending_email) : 'This is the address already.'),
  });
  const cancel = useMutation({
    mutationFn: () => save(user.email), // the present address takes the pending one back
    onSuccess: () => announce('The new address was cancelled. The link to it no longer works.'),
  });
  return (
    <>
      {user.pending_email && <Notice kind="info">{mailed(user.pending_email)}</Notice>}
      {user.pending_email && <Button isPending={cancel.isPending} onPress={() => cancel.mutate()}>Cancel the new address</Button>}
      <Failure of={cancel.error} />
      <dl className="facts"><dt>Address now</dt><dd>{user.email}{!user.email_verified && ', not verified'}</dd></dl>
      <FilledForm submit="Change address" label="E-mail address" fields={['email']} pending={change.isPending} failure={change.error}
        onFill={(values, reset) => change.mutate(values['email']?.trim() ?? '', { onSuccess: reset })}>
        <Field name="email" label="New e-mail address" autoComplete="off" inputMode="email"
          hint="We mail a link to it. Until somebody opens that link, the address stays as it is." />
      </FilledForm>
    </>
  );
}

const mailed = (address: string) => `A link was mailed to ${address}. The address counts when the link was opened.`;
