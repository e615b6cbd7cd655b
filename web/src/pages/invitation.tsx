import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { acceptInvitation, viewInvitation } from '../api/calls';
import type { Acceptance } from '../api/types';
import { instant } from '../text';
import { Field, FilledForm, PasswordField } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';

// takeToken reads the secret of the invitation's link and takes it out of the
// address, so that it stays in no history and no screenshot.
export function takeToken(place: Location, past: History): string {
  const token = place.hash.replace(/^#/, '');
  if (token) past.replaceState(past.state, '', place.pathname);
  return token;
}

export function InvitationPage({ token }: { token: string }) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [secret] = useState(token);
  const invitation = useQuery({ queryKey: ['invitation'], queryFn: () => viewInvitation(secret), enabled: secret !== '', retry: false, gcTime: 0 });
  const accept = useMutation({
    mutationFn: (a: Acceptance) => acceptInvitation(a),
    onSuccess: (answer) => {
      queries.clear();
      const to = answer.state === 'signed_in' ? '/account/security' : answer.state === 'enrolment_required' ? '/enrolment' : '/signin';
      void navigate({ to, search: {} });
    },
  });
  if (secret === '') {
    return (
      <Page title="Invitation" narrow>
        <p>Open this page with the link of your invitation’s mail. For your safety the link is used up by this page: after a reload, open it again.</p>
      </Page>
    );
  }
  if (invitation.isPending) return <Page title="Invitation" narrow><Loading /></Page>;
  if (invitation.isError) return <Page title="Invitation" narrow><Failure of={invitation.error} /></Page>;
  const { workspace, email, role, expires_at } = invitation.data;
  return (
    <Page title={`Join ${workspace}`} narrow>
      <dl className="facts">
        <dt>E-mail address</dt><dd>{email}</dd>
        <dt>Role</dt><dd>{role}</dd>
        <dt>Open until</dt><dd><Time at={expires_at}>{instant(expires_at)}</Time></dd>
      </dl>
      <FilledForm submit="Create account" fields={['username', 'first_name', 'last_name', 'password']} pending={accept.isPending}
        failure={accept.error} onFill={(v) => accept.mutate(acceptance(secret, v))}>
        <Field name="first_name" label="First name" autoComplete="given-name" required={false} autoFocus />
        <Field name="last_name" label="Last name" autoComplete="family-name" required={false} />
        <Field name="username" label="Username" autoComplete="username" required={false}
          hint="Also your name on servers: lower-case letters, digits, dots, hyphens and underscores. Without one, the part of your address before the @." />
        <PasswordField name="password" label="Password" autoComplete="new-password"
          hint="At least 15 characters. A few random words do well; no rules about digits or signs." />
      </FilledForm>
    </Page>
  );
}

function acceptance(token: string, v: Record<string, string>): Acceptance {
  const a: Acceptance = { token, password: v['password'] ?? '' };
  for (const name of ['username', 'first_name', 'last_name'] as const) {
    const value = v[name]?.trim();
    if (value) a[name] = value;
  }
  return a;
}
