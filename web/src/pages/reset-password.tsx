import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { resetPassword } from '../api/links';
import { isCode } from '../api/problem';
import { useAnnounce } from '../ui/announce';
import { FilledForm, PasswordField } from '../ui/fields';
import { Failure } from '../ui/notice';
import { OpenTheLink } from '../ui/open-the-link';
import { Page } from '../ui/page';
import { newPasswordHint } from '../ui/password-change';

export function ResetPasswordPage({ token }: { token: string }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const reset = useMutation({
    mutationFn: (password: string) => resetPassword(token, password),
    onSuccess: () => {
      queries.clear();
      announce('Your new password is set.');
    },
  });
  if (token === '') return <OpenTheLink title="Choose your password" />;
  if (reset.isSuccess) {
    return (
      <Page title="Your new password is set" narrow>
        <p>Wherever you were signed in, you are signed out now.</p>
        <p><Link to="/signin" search={{}}>Sign in with it</Link></p>
      </Page>
    );
  }
  if (isCode(reset.error, 'link_not_found')) {
    return (
      <Page title="This link does not work" narrow>
        <Failure of={reset.error} />
        <p>Links work once, and for half an hour.</p>
        <p><Link to="/forgot-password">Have a new one mailed</Link></p>
      </Page>
    );
  }
  return (
    <Page title="Choose your password" narrow>
      <p>With it every session of your account ends. If you have a second factor, it is asked for as before.</p>
      <FilledForm submit="Set password" fields={['password']} pending={reset.isPending} failure={reset.error}
        onFill={(values) => reset.mutate(values['password'] ?? '')}>
        <PasswordField name="password" label="New password" autoComplete="new-password" hint={newPasswordHint} />
      </FilledForm>
    </Page>
  );
}
