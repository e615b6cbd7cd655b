import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { acceptInvitation, viewInvitation } from '../api/calls';
import type { Acceptance } from '../api/types';
import { instant } from '../text';
import { Field, FilledForm, PasswordField } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { OpenTheLink } from '../ui/open-the-link';
import { Page, Time } from '../ui/page';
import { newPasswordHint } from '../ui/password-change';

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
  if (secret === '') return <OpenTheLink title="Invitation" />;
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
        <PasswordField name="password" label="Password" autoComplete="new-password" hint={newPasswordHint} />
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
