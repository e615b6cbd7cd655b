import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { signOut } from '../api/calls';
import { destination } from '../destination';
import { Page } from '../ui/page';
import { PasswordChange } from '../ui/password-change';

// ChangePasswordPage replaces the password without which the session may do
// nothing else.
export function ChangePasswordPage() {
  const search = useSearch({ from: '/change-password' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const next = destination(search.next, location.origin);
  const goOn = () => {
    queries.clear();
    void navigate({ href: next });
  };
  const signInAgain = async () => {
    await signOut().catch(() => undefined);
    queries.clear();
    await navigate({ to: '/signin', search: { next } });
  };
  return (
    <Page title="Choose a new password" narrow>
      <p>Your password must be replaced before you go on. Give the one that you signed in with, and a new one that only you know.</p>
      <PasswordChange onDone={goOn} />
      <hr />
      <Button onPress={signInAgain}>Sign in as somebody else</Button>
    </Page>
  );
}
