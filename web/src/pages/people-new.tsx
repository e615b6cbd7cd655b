import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';

import { makePerson } from '../api/people';
import { newUser } from '../profile';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm, PasswordField } from '../ui/fields';
import { Page } from '../ui/page';
import { RoleField, roleFields } from '../ui/role-field';
import { meQuery } from '../ui/shell';

// NewPersonPage makes an account for somebody.
export function NewPersonPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const make = useMutation({
    mutationFn: (values: Record<string, string>) => makePerson(newUser(values)),
    onSuccess: async (made) => {
      announce(`The account of ${made.email} was made.`);
      await queries.invalidateQueries({ queryKey: ['people'] });
      await navigate({ to: '/people/$id', params: { id: made.id } });
    },
  });
  return (
    <Page title="Make an account">
      <p>A link is mailed to its owner, with which to choose a password.</p>
      <FilledForm submit="Make account" label="Account" fields={['email', 'username', 'first_name', 'last_name', 'password', ...roleFields]}
        pending={make.isPending} failure={make.error} onFill={(values) => make.mutate(values)}>
        <Field name="email" label="E-mail address" autoComplete="off" inputMode="email" autoFocus />
        <Field name="first_name" label="First name" autoComplete="off" required={false} />
        <Field name="last_name" label="Last name" autoComplete="off" required={false} />
        <Field name="username" label="Username" autoComplete="off" required={false}
          hint="Also the name on servers; it cannot be changed later. Without one, its owner sets it." />
        {me.data?.is_superuser && <RoleField />}
        <PasswordField name="password" label="First password" autoComplete="new-password" required={false}
          hint="Only when you hand it over yourself. It must be replaced at the first sign-in, and ends when an invitation would." />
      </FilledForm>
      <p><Link to="/people" search={{}}>Back to people</Link></p>
    </Page>
  );
}
