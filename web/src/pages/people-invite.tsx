import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { invite } from '../api/people';
import { instant, roleFlags } from '../text';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { RoleField, roleFields } from '../ui/role-field';
import { meQuery } from '../ui/shell';

// InvitePage mails links with which people make their own accounts.
export function InvitePage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const me = useQuery(meQuery);
  const send = useMutation({
    mutationFn: (v: Record<string, string>) => invite(v['email']?.trim() ?? '', v['role'] && v['role'] !== 'member' ? roleFlags(v['role']) : {}),
    onSuccess: (made) => {
      announce(`An invitation was mailed to ${made.email}.`);
      return queries.invalidateQueries({ queryKey: ['invitations'] });
    },
  });
  return (
    <Page title="Invite somebody">
      <p>A link is mailed to this address. Whoever opens it makes an account and chooses its password.</p>
      {send.isSuccess && <Notice kind="success">An invitation was mailed to {send.data.email}. It is open until {instant(send.data.expires_at)}.</Notice>}
      <FilledForm submit="Send invitation" label="Invitation" fields={['email', ...roleFields]} pending={send.isPending} failure={send.error}
        onFill={(values, reset) => send.mutate(values, { onSuccess: reset })}>
        <Field name="email" label="E-mail address" autoComplete="off" inputMode="email" autoFocus />
        {me.data?.is_superuser && <RoleField />}
      </FilledForm>
      <p><Link to="/people" search={{}}>Back to people</Link></p>
    </Page>
  );
}
