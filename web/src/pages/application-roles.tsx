import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { applicationRoles, giveApplicationRole, roleNamed, takeApplicationRole, type Application, type ApplicationRole } from '../api/applications';
import { Problem } from '../api/problem';
import { instantOf } from '../groups';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';

// ApplicationRoles lists the roles of an application, which say what it may of
// its scopes.
export function ApplicationRoles({ of: a }: { of: Application }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const list = useQuery({ queryKey: ['application', a.id, 'roles'], queryFn: () => applicationRoles(a.id) });
  const changed = (said: string) => {
    announce(said);
    return queries.invalidateQueries({ queryKey: ['application', a.id] });
  };
  const take = useMutation({
    mutationFn: (r: ApplicationRole) => takeApplicationRole(a.id, r.id),
    onSuccess: (_, r) => changed(`The role ${r.role_name} was taken away.`),
  });
  const give = useMutation({
    mutationFn: async ({ values }: { values: Record<string, string>; reset: () => void }) => {
      const role = await roleNamed(values['role']?.trim() ?? '');
      if (!role) throw new Problem(0, 'invalid_value', 'There is no custom role of this name.', 'role');
      return giveApplicationRole(a.id, role.id, instantOf(values['expires_at'] ?? ''));
    },
    onSuccess: (r, { reset }) => {
      reset();
      return changed(`The application has the role ${r.role_name}.`);
    },
  });
  const may = a.allowed.includes('application:update');
  return (
    <>
      <h2>Roles</h2>
      <Failure of={list.error ?? take.error} />
      {list.isPending && <Loading />}
      {list.data?.count === 0 && <p className="quiet">It has no role, and may nothing.</p>}
      <ul className="cards" aria-label="Roles">
        {list.data?.results.map((r) => (
          <li key={r.id}>
            <div>
              <strong>{r.role_name}</strong>
              {r.expires_at && <div className="quiet">Until <Time at={r.expires_at}>{instant(r.expires_at)}</Time></div>}
            </div>
            {may && (
              <div className="actions">
                <Confirmed label="Take away" name={`Take away ${r.role_name}`} title={`Take away ${r.role_name}?`} act="Take away" onAct={() => take.mutate(r)}>
                  <p>Its tokens lose what the role gives at their next request.</p>
                </Confirmed>
              </div>
            )}
          </li>
        ))}
      </ul>
      {may && (
        <FilledForm submit="Give role" label="Give a role" fields={['role', 'expires_at']} pending={give.isPending} failure={give.error}
          onFill={(values, reset) => give.mutate({ values, reset })}>
          <Field name="role" label="Name of a custom role" autoComplete="off" hint="The whole of it. You give only what you hold." />
          <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} hint="In the time of this device. Empty: it does not end." />
        </FilledForm>
      )}
    </>
  );
}
