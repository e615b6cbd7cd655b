import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { patchMe, setUsername } from '../api/calls';
import type { User, UserPatch } from '../api/types';
import { instant, roleName, roleOf } from '../text';
import { useAnnounce } from '../ui/announce';
import { EmailChange } from '../ui/email-change';
import { Field, FilledForm } from '../ui/fields';
import { Page, Time } from '../ui/page';
import { ProfileForm } from '../ui/profile-form';
import { meQuery } from '../ui/shell';

export function MyProfilePage() {
  const queries = useQueryClient();
  const person = useQuery(meQuery);
  const save = async (p: UserPatch) => {
    const after = await patchMe(p);
    queries.setQueryData(meQuery.queryKey, after);
    return after;
  };
  const user = person.data;
  if (!user) return null; // the frame around waits for it
  return (
    <Page title="My profile">
      <dl className="facts">
        {user.username && <><dt>Username</dt><dd>{user.username}</dd></>}
        <dt>Role</dt><dd>{roleName(roleOf(user))}</dd>
        <dt>Here since</dt><dd><Time at={user.date_joined}>{instant(user.date_joined)}</Time></dd>
      </dl>
      {!user.username && <Username />}
      <h2>Profile</h2>
      <ProfileForm of={user} own save={save} />
      <h2>E-mail address</h2>
      <EmailChange of={user} save={(email) => save({ email })} />
    </Page>
  );
}

// Username sets the username of an account that has none, once and for good.
function Username() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const set = useMutation({
    mutationFn: setUsername,
    onSuccess: ({ username }) => {
      queries.setQueryData(meQuery.queryKey, (before: User | undefined) => before && { ...before, username });
      announce('Your username is set.');
    },
  });
  return (
    <>
      <h2>Username</h2>
      <p>You have none yet. It is also your name on servers, so once set it stays.</p>
      <FilledForm submit="Set username" label="Username" fields={['username']} pending={set.isPending} failure={set.error}
        onFill={(values) => set.mutate(values['username']?.trim() ?? '')}>
        <Field name="username" label="Username" autoComplete="username"
          hint="Lower-case letters, digits, dots, hyphens and underscores; it begins with a letter." />
      </FilledForm>
    </>
  );
}
