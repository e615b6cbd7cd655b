import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';

import { deleteGroup, group, tryDeleteGroup } from '../api/groups';
import type { Group } from '../api/types';
import { accessText, patternSays, takesAway } from '../groups';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Foreseen } from '../ui/impact';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { GroupMembers } from './group-members';

export const groupQuery = (id: string) => ({ queryKey: ['group', id], queryFn: () => group(id) });

export function GroupPage() {
  const { id } = useParams({ from: '/signed-in/groups/$id' });
  const one = useQuery(groupQuery(id));
  const back = <p><Link to="/groups" search={{}}>Back to groups</Link></p>;
  if (!one.data) return <Page title="Group">{back}<Failure of={one.error} />{one.isPending && <Loading />}</Page>;
  const g = one.data;
  const changes = g.allowed.includes('group:update');
  return (
    <Page title={g.name}>
      {back}
      <dl className="facts">
        {g.display_name && <><dt>Display name</dt><dd>{g.display_name}</dd></>}
        {g.description && <><dt>Description</dt><dd className="lines">{g.description}</dd></>}
        {g.tags && <><dt>Tags</dt><dd>{g.tags}</dd></>}
        <dt>Number on servers</dt><dd>{g.gid}</dd>
        <dt>Here since</dt><dd><Time at={g.added_at}>{instant(g.added_at)}</Time></dd>
      </dl>
      <div className="actions">
        {changes && <Link className="button" to="/groups/$id/change" params={{ id }}>Change the group</Link>}
        <Link className="button" to="/groups/$id/config" params={{ id }}>Configuration as YAML</Link>
      </div>
      <h2>Servers</h2>
      <Servers of={g} />
      <GroupMembers of={g} />
      {g.allowed.includes('group:delete') && <Deletion of={g} />}
    </Page>
  );
}

function Servers({ of: g }: { of: Group }) {
  if (g.servers.length + g.server_patterns.length === 0) return <p className="quiet">The group opens no server.</p>;
  return (
    <>
      <ul aria-label="Servers">
        {g.servers.map((s) => <li key={s.id}>{s.name}</li>)}
        {g.server_patterns.map((p) => <li key={p}><code>{p}</code>: {patternSays(p)}</li>)}
      </ul>
      <p>What its members may do on them: {accessText(g.permissions)}.</p>
    </>
  );
}

function Deletion({ of: g }: { of: Group }) {
  const announce = useAnnounce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteGroup(g.id),
    onSuccess: async () => {
      announce('The group was deleted.');
      await navigate({ to: '/groups', search: {} });
      queries.removeQueries({ queryKey: ['group', g.id] });
      await queries.invalidateQueries({ queryKey: ['groups'] });
    },
  });
  return (
    <>
      <h2>End of the group</h2>
      <Failure of={remove.error} />
      <Confirmed label="Delete group" title={`Delete ${g.name}?`} act="Delete" onAct={() => remove.mutate()}>
        <p>{takesAway(g)} This cannot be undone.</p>
        <Foreseen look={() => tryDeleteGroup(g.id)} />
      </Confirmed>
    </>
  );
}
