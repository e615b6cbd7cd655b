import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';

import { deleteRole, role, tryDeleteRole, type Role } from '../api/roles';
import { everywhere } from '../roles';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Foreseen } from '../ui/impact';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';
import { RoleHolders } from './role-holders';
import { Permitted } from './roles';

export const roleQuery = (id: string) => ({ queryKey: ['role', id], queryFn: () => role(id) });

// RolePage shows one custom role: what it permits, where, and who has it.
export function RolePage() {
  const { id } = useParams({ from: '/signed-in/roles/$id' });
  const one = useQuery(roleQuery(id));
  const me = useQuery(meQuery);
  const back = <p><Link to="/roles" search={{}}>Back to roles</Link></p>;
  if (!one.data) return <Page title="Role">{back}<Failure of={one.error} />{one.isPending && <Loading />}</Page>;
  const r = one.data;
  const runs = me.data?.is_superuser === true; // roles are theirs alone to change
  return (
    <Page title={r.name}>
      {back}
      {r.description && <p className="lines">{r.description}</p>}
      {runs && <div className="actions"><Link className="button" to="/roles/$id/change" params={{ id }}>Change the role</Link></div>}
      <h2>What it permits</h2>
      <Permitted of={r.permissions} />
      <h2>Where it counts</h2>
      <Where of={r} />
      <RoleHolders of={r} runs={runs} />
      {runs && <Deletion of={r} />}
    </Page>
  );
}

function Where({ of: r }: { of: Role }) {
  if (everywhere(r)) return <p>Everywhere.</p>;
  return (
    <ul aria-label="Where it counts">
      {r.scope.patterns.map((p) => <li key={p}>names like <code>{p}</code></li>)}
      {r.scope.objects.map((o) => <li key={o}>the object <code>{o}</code></li>)}
    </ul>
  );
}

function Deletion({ of: r }: { of: Role }) {
  const announce = useAnnounce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteRole(r.id),
    onSuccess: async () => {
      announce('The role was deleted.');
      await navigate({ to: '/roles', search: {} });
      queries.removeQueries({ queryKey: ['role', r.id] });
      await queries.invalidateQueries({ queryKey: ['roles'] });
    },
  });
  return (
    <>
      <h2>End of the role</h2>
      <Failure of={remove.error} />
      <Confirmed label="Delete role" title={`Delete ${r.name}?`} act="Delete" onAct={() => remove.mutate()}>
        <p>Nobody has it from the next request on. This cannot be undone.</p>
        <Foreseen look={() => tryDeleteRole(r.id)} />
      </Confirmed>
    </>
  );
}
