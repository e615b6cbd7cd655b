import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import type { Profile, User } from '../api/types';
import { profileChanges, profileFields } from '../profile';
import { useAnnounce } from './announce';
import { Field, FilledForm } from './fields';
import { Notice } from './notice';

// ProfileForm changes what an account tells of its person. What counts as
// changed differs from what the form showed, whatever came in between.
export function ProfileForm({ of: user, own, save }: { of: User; own: boolean; save: (p: Partial<Profile>) => Promise<User> }) {
  const announce = useAnnounce();
  const [now, setNow] = useState(user);
  const change = useMutation({
    mutationFn: (values: Record<string, string>) => save(profileChanges(now, values)),
    onSuccess: (saved) => {
      setNow(saved);
      announce('The profile was saved.');
    },
  });
  const complete = (name: string) => (own ? name : 'off'); // a browser knows only its owner's values
  return (
    <>
      {change.isSuccess && <Notice kind="success">The profile was saved.</Notice>}
      <FilledForm submit="Save profile" label="Profile" fields={[...profileFields]} pending={change.isPending} failure={change.error}
        onFill={(values) => change.mutate(values)}>
        <Field name="first_name" label="First name" autoComplete={complete('given-name')} required={false} defaultValue={now.first_name} />
        <Field name="last_name" label="Last name" autoComplete={complete('family-name')} required={false} defaultValue={now.last_name} />
        <Field name="phone" label="Telephone" autoComplete={complete('tel')} required={false} defaultValue={now.phone}
          hint="With its country, such as +82212345678." />
        <Field name="tags" label="Tags" autoComplete="off" required={false} defaultValue={now.tags} />
        <Field name="description" label="Description" autoComplete="off" required={false} defaultValue={now.description} lines={3} />
        <Field name="shell" label="Shell" autoComplete="off" required={false} defaultValue={now.shell}
          hint="The program that servers start at sign-in, such as /bin/bash." />
      </FilledForm>
    </>
  );
}
