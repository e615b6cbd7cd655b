import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';

import { Problem } from '../api/problem';
import {
  assignRole, holders, named, tryAssignRole, tryUnassignRole, unassignRole, type Impact, type NewRoleAssignment, type Role, type RoleAssignment,
} from '../api/roles';
import { instantOf } from '../groups';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { Foreseen, ForeseenDialog, previewLabel } from '../ui/impact';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';

const holderOf = (a: RoleAssignment): string => a.user?.name ?? a.group?.name ?? '';

// RoleHolders lists who has a role, people and groups; who runs roles gives it
// and takes it away.
export function RoleHolders({ of: r, runs }: { of: Role; runs: boolean }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const list = useInfiniteQuery({
    queryKey: ['role', r.id, 'holders'],
    queryFn: ({ pageParam }) => holders(r.id, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const changed = async (what: string) => {
    announce(what);
    await queries.invalidateQueries({ queryKey: ['role', r.id, 'holders'] });
  };
  const take = useMutation({ mutationFn: (a: RoleAssignment) => unassignRole(a.id), onSuccess: (_, a) => changed(`The role was taken from ${holderOf(a)}.`) });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  return (
    <>
      <h2>Who has it</h2>
      <Failure of={list.error ?? take.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">Nobody has it.</p>}
      <ul className="cards" aria-label="Who has it">
        {all.map((a) => (
          <li key={a.id}>
            <div>
              <strong>
                {a.user && <Link to="/people/$id" params={{ id: a.user.id }}>{a.user.name}</Link>}
                {a.group && <Link to="/groups/$id" params={{ id: a.group.id }}>{a.group.name}</Link>}
              </strong>
              <div className="quiet">
                {a.user?.email ?? 'Everybody in the group'}
                {a.expires_at && <>, until <Time at={a.expires_at}>{instant(a.expires_at)}</Time></>}
              </div>
            </div>
            {runs && (
              <div className="actions">
                <Confirmed label="Take away" name={`Take away from ${holderOf(a)}`} title={`Take ${r.name} from ${holderOf(a)}?`} act="Take away" onAct={() => take.mutate(a)}>
                  <Foreseen look={() => tryUnassignRole(a.id)} />
                </Confirmed>
              </div>
            )}
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="actions"><Button onPress={() => void list.fetchNextPage()} className={list.isFetchingNextPage ? 'busy' : 'plain'}>More who have it</Button></div>
      )}
      {runs && <Giving of={r} onGiven={(a) => changed(`${holderOf(a)} has the role.`)} />}
    </>
  );
}

interface Wanted {
  assignment: NewRoleAssignment;
  name: string;
  reset: () => void;
}

// wantedOf returns the assignment that the form describes: people and groups are
// named by exactly their name.
async function wantedOf(role: string, values: Record<string, string>, reset: () => void): Promise<Wanted> {
  const kind = values['kind'] === 'group' ? 'group' : 'user';
  const name = values['user']?.trim() ?? '';
  const of = await named(kind, name);
  if (!of) throw new Problem(0, 'unknown', kind === 'group' ? 'There is no group of this name.' : 'There is nobody of this name.', 'user');
  const end = instantOf(values['expires_at'] ?? '');
  return { assignment: { role, [kind]: of, ...(end ? { expires_at: end } : {}) }, name, reset };
}

// Giving asks to whom a role is given, tells what that means, and gives it.
function Giving({ of: r, onGiven }: { of: Role; onGiven: (a: RoleAssignment) => Promise<void> }) {
  const [foreseen, setForeseen] = useState<{ wanted: Wanted; impact: Impact } | null>(null);
  const look = useMutation({
    mutationFn: async ({ values, reset }: { values: Record<string, string>; reset: () => void }) => {
      const wanted = await wantedOf(r.id, values, reset);
      return { wanted, impact: await tryAssignRole(wanted.assignment) };
    },
    onSuccess: setForeseen,
  });
  const give = useMutation({
    mutationFn: (wanted: Wanted) => assignRole(wanted.assignment),
    onSuccess: (made, { reset }) => {
      reset();
      return onGiven(made);
    },
  });
  return (
    <>
      <h2>Give the role</h2>
      <FilledForm submit={previewLabel} label="Give the role" fields={['kind', 'user', 'expires_at']} pending={look.isPending || give.isPending} failure={look.error ?? give.error}
        onFill={(values, reset) => { give.reset(); look.mutate({ values, reset }); }}>
        <ChoiceField name="kind" label="To" defaultValue="user" choices={[{ value: 'user', label: 'A person' }, { value: 'group', label: 'Everybody in a group' }]} />
        <Field name="user" label="Username, e-mail address or name of the group" autoComplete="off" hint="The whole of it: parts of names are not found." />
        <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} hint="In the time of this device, for a person only. Empty: it does not end." />
      </FilledForm>
      {foreseen && (
        <ForeseenDialog title={`Give ${r.name} to ${foreseen.wanted.name}?`} of={foreseen.impact} act="Give" onCancel={() => setForeseen(null)}
          onAct={() => { setForeseen(null); give.mutate(foreseen.wanted); }} />
      )}
    </>
  );
}
