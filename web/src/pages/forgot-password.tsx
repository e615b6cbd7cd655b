import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { forgotPassword } from '../api/links';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Page } from '../ui/page';

// ForgotPasswordPage has a link mailed with which to choose a new password. It
// says the same whether or not there is such an account.
export function ForgotPasswordPage() {
  const announce = useAnnounce();
  const ask = useMutation({ mutationFn: forgotPassword, onSuccess: (answer) => announce(answer.detail) });
  if (ask.isSuccess) {
    return (
      <Page title="Look into your mail" narrow>
        <p>{ask.data.detail}</p>
        <p>The link works once, for half an hour. When nothing comes, look among the unwanted mail, and ask an administrator of your workspace.</p>
        <p><Link to="/signin" search={{}}>To sign-in</Link></p>
      </Page>
    );
  }
  return (
    <Page title="Forgot your password?" narrow>
      <p>Tell us who you are, and we mail you a link with which to choose a new password.</p>
      <FilledForm submit="Mail me a link" fields={['login']} pending={ask.isPending} failure={ask.error}
        onFill={(values) => ask.mutate(values['login'] ?? '')}>
        <Field name="login" label="Username or e-mail address" autoComplete="username" autoFocus />
      </FilledForm>
      <p><Link to="/signin" search={{}}>To sign-in</Link></p>
    </Page>
  );
}
