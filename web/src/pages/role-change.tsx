import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { makeRole, patchRole, permissions, tryRole, type Impact, type Permission, type Role, type RoleFields } from '../api/roles';
import { noRole, roleChanges } from '../roles';
import { useAnnounce } from '../ui/announce';
import { ForeseenDialog, previewLabel } from '../ui/impact';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { RoleForm } from '../ui/role-form';
import { roleQuery } from './role';

const catalogueQuery = { queryKey: ['permissions'], queryFn: permissions, staleTime: Infinity };

// useSaved returns what follows when a role was made or changed.
function useSaved(said: string) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return async (after: Role) => {
    announce(said);
    queries.setQueryData(['role', after.id], after);
    await queries.invalidateQueries({ queryKey: ['roles'] });
    await navigate({ to: '/roles/$id', params: { id: after.id } });
  };
}

// NewRolePage makes a role. Nobody has it until it is given.
export function NewRolePage() {
  const catalogue = useQuery(catalogueQuery);
  const make = useMutation({ mutationFn: makeRole, onSuccess: useSaved('The role was made.') });
  return (
    <Page title="Make a role">
      <p>Nobody has it until it is given.</p>
      <Failure of={catalogue.error} />
      {catalogue.isPending && <Loading />}
      {catalogue.data && <RoleForm of={noRole} catalogue={catalogue.data} submit="Make role" pending={make.isPending} failure={make.error} onFill={(typed) => make.mutate(typed)} />}
      <p><Link to="/roles" search={{}}>Back to roles</Link></p>
    </Page>
  );
}

export function RoleChangePage() {
  const { id } = useParams({ from: '/signed-in/roles/$id/change' });
  // Read anew for each visit, and not behind the back of somebody who types.
  const one = useQuery({ ...roleQuery(id), queryKey: ['role change', id], gcTime: 0, staleTime: Infinity });
  const catalogue = useQuery(catalogueQuery);
  return (
    <Page title="Change the role">
      <p><Link to="/roles/$id" params={{ id }}>Back to the role</Link></p>
      <Failure of={one.error ?? catalogue.error} />
      {(one.isPending || catalogue.isPending) && <Loading />}
      {one.data && catalogue.data && <Change of={one.data} catalogue={catalogue.data} />}
    </Page>
  );
}

// Change tells what a changed role means for those who have it before it is
// saved.
function Change({ of: r, catalogue }: { of: Role; catalogue: Permission[] }) {
  const [foreseen, setForeseen] = useState<{ changes: Partial<RoleFields>; impact: Impact } | null>(null);
  const look = useMutation({
    mutationFn: async (typed: RoleFields) => {
      const changes = roleChanges(r, typed);
      return { changes, impact: await tryRole(r.id, changes) };
    },
    onSuccess: setForeseen,
  });
  const save = useMutation({ mutationFn: (changes: Partial<RoleFields>) => patchRole(r.id, changes), onSuccess: useSaved('The role was saved.') });
  return (
    <>
      <RoleForm of={r} catalogue={catalogue} submit={previewLabel} pending={look.isPending || save.isPending} failure={look.error ?? save.error}
        onFill={(typed) => { save.reset(); look.mutate(typed); }} />
      {foreseen && (
        <ForeseenDialog title="Save the role?" of={foreseen.impact} act="Save" onCancel={() => setForeseen(null)}
          onAct={() => { setForeseen(null); save.mutate(foreseen.changes); }} />
      )}
    </>
  );
}
