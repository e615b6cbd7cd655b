import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { addMember, memberships, patchMember, removeMember, tryRemoveMember } from '../api/groups';
import type { Group, Membership } from '../api/types';
import { instantOf, localTime, memberRoleName, memberRoles, placeChanges } from '../groups';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { Foreseen } from '../ui/impact';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';
import { meQuery } from '../ui/shell';

// GroupMembers lists who is in a group; to its members, their own place.
export function GroupMembers({ of: g }: { of: Group }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const list = useInfiniteQuery({
    queryKey: ['group', g.id, 'members'],
    queryFn: ({ pageParam }) => memberships({ group: g.id }, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const changed = async (what: string) => {
    announce(what);
    await Promise.all([queries.invalidateQueries({ queryKey: ['group', g.id] }), queries.invalidateQueries({ queryKey: ['groups'] })]);
  };
  const remove = useMutation({
    mutationFn: (m: Membership) => removeMember(m.id),
    onSuccess: async (_, m) => {
      if (m.user.id !== me.data?.id) return changed(`${m.user.name} was taken out of the group.`);
      announce(`You left ${g.name}.`);
      await navigate({ to: '/groups', search: {} });
      queries.removeQueries({ queryKey: ['group', g.id] });
      return queries.invalidateQueries({ queryKey: ['groups'] });
    },
  });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  const everybody = g.allowed.includes('membership:read');
  const owners = g.allowed.includes('group:update'); // who may make them
  if (!everybody && list.isSuccess && all.length === 0) return null;
  return (
    <>
      <h2>{everybody ? 'Members' : 'Your place'}</h2>
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">Nobody is in it.</p>}
      <ul className="cards" aria-label="Members">
        {all.map((m) => {
          const own = m.user.id === me.data?.id;
          return (
            <li key={m.id}>
              <div>
                <strong>{me.data?.is_staff ? <Link to="/people/$id" params={{ id: m.user.id }}>{m.user.name}</Link> : m.user.name}</strong>{' '}
                {own && <span className="tag">you</span>}
                <Standing of={m} />
              </div>
              <div className="actions">
                {m.allowed.includes('membership:update') && <Change of={m} owners={owners} onChanged={() => changed(`The place of ${m.user.name} was changed.`)} />}
                {m.allowed.includes('membership:delete') && (own ? (
                  <Confirmed label="Leave" title={`Leave ${g.name}?`} act="Leave" onAct={() => remove.mutate(m)}>
                    <p>You lose at once what it gives. Only who runs the group can bring you back.</p>
                  </Confirmed>
                ) : (
                  <Confirmed label="Remove" name={`Remove ${m.user.name}`} title={`Remove ${m.user.name}?`} act="Remove" onAct={() => remove.mutate(m)}>
                    <p>{m.user.name} loses what the group gives at the next request.</p>
                    <Foreseen look={() => tryRemoveMember(m.id)} />
                  </Confirmed>
                ))}
              </div>
            </li>
          );
        })}
      </ul>
      {list.hasNextPage && (
        <div className="actions"><Button onPress={() => void list.fetchNextPage()} className={list.isFetchingNextPage ? 'busy' : 'plain'}>More members</Button></div>
      )}
      {g.allowed.includes('membership:create') && <Addition to={g} owners={owners} onAdded={(m) => changed(`${m.user.name} is in the group.`)} />}
    </>
  );
}

// Standing tells as what, and until when, somebody is in a group.
function Standing({ of: m }: { of: Membership }) {
  return (
    <div className="quiet">
      {[m.user.email, memberRoleName(m.role)].filter(Boolean).join(', ')}
      {m.expires_at && <>, until <Time at={m.expires_at}>{instant(m.expires_at)}</Time></>}
    </div>
  );
}

function PlaceFields({ role, end, owners }: { role: string; end: string; owners: boolean }) {
  return (
    <>
      <ChoiceField name="role" label="Role" defaultValue={role} choices={memberRoles.filter((r) => owners || r.value !== 'owner')} />
      <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} defaultValue={end} hint="In the time of this device. Empty: it does not end." />
    </>
  );
}

const placeFields = ['role', 'expires_at'];

function Addition({ to: g, owners, onAdded }: { to: Group; owners: boolean; onAdded: (m: Membership) => Promise<void> }) {
  const add = useMutation({
    mutationFn: ({ values }: { values: Record<string, string>; reset: () => void }) => {
      const end = instantOf(values['expires_at'] ?? '');
      return addMember({ group: g.id, username: values['user']?.trim() ?? '', role: values['role'] ?? 'member', ...(end ? { expires_at: end } : {}) });
    },
    onSuccess: (made, { reset }) => {
      reset();
      return onAdded(made);
    },
  });
  return (
    <>
      <h2>Add somebody</h2>
      <FilledForm submit="Add" label="Add somebody" fields={['user', ...placeFields]} pending={add.isPending} failure={add.error}
        onFill={(values, reset) => add.mutate({ values, reset })}>
        <Field name="user" label="Username or e-mail address" autoComplete="off" hint="The whole of it: parts of names are not found." />
        <PlaceFields role="member" end="" owners={owners} />
      </FilledForm>
    </>
  );
}

function Change({ of: m, owners, onChanged }: { of: Membership; owners: boolean; onChanged: () => Promise<void> }) {
  const [open, setOpen] = useState(false);
  const change = useMutation({
    mutationFn: (values: Record<string, string>) => patchMember(m.id, placeChanges(m, values['role'] ?? m.role, values['expires_at'] ?? '')),
    onSuccess: () => {
      setOpen(false);
      return onChanged();
    },
  });
  return (
    <DialogTrigger isOpen={open} onOpenChange={(next) => { change.reset(); setOpen(next); }}>
      <Button aria-label={`Change the place of ${m.user.name}`}>Change</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>
            <Heading slot="title" level={2}>{m.user.name} in {m.group_name}</Heading>
            <FilledForm submit="Save" label="Place" fields={placeFields} pending={change.isPending} failure={change.error}
              more={<Button slot="close">Cancel</Button>} onFill={(values) => change.mutate(values)}>
              <PlaceFields role={m.role} end={localTime(m.expires_at)} owners={owners} />
            </FilledForm>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
