import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { groupNamed } from '../api/groups';
import { assign, assignments, unassign, type Assignment, type NewAssignment, type Server } from '../api/servers';
import { accessOf, accessText, chosenOf, instantOf, localTime, noGroup, patternSays } from '../groups';
import { named, subjectName, unknownName } from '../servers';
import { instant } from '../text';
import { AccessField, endHint } from '../ui/access-field';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { More } from '../ui/more';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';
import { meQuery } from '../ui/shell';

// ServerAccess lists who was given a server, by itself or by a pattern.
export function ServerAccess({ of: s }: { of: Server }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const me = useQuery(meQuery);
  const list = useInfiniteQuery({
    queryKey: ['server', s.id, 'assignments'],
    queryFn: ({ pageParam }) => assignments(s.id, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const refresh = () => Promise.all([['server', s.id], ['servers'], ['reach']].map((queryKey) => queries.invalidateQueries({ queryKey })));
  const changed = async (what: string) => {
    announce(what);
    await refresh();
  };
  const remove = useMutation({
    mutationFn: (a: Assignment) => unassign(a.id),
    onSuccess: (_, a) => changed(`The assignment of ${subjectName(a)} was taken away.`),
    onError: refresh, // it may be gone already
  });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  const adds = s.allowed.includes('assignment:create');
  const takes = s.allowed.includes('assignment:delete');
  return (
    <>
      <h2>Access</h2>
      <p>Who was given the server. Roles and the servers of groups may open it besides.</p>
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">Nobody was given it.</p>}
      <ul className="cards" aria-label="Assignments">
        {all.map((a) => {
          const name = subjectName(a);
          const by = a.pattern ? ` by ${a.pattern}` : ''; // the same person may have both
          return (
            <li key={a.id}>
              <div>
                <strong><Subject of={a} linked={me.data?.is_staff === true} /></strong> {a.group && <span className="tag">group</span>}
                <div className="quiet">
                  {accessText(a.permissions)}{a.pattern && <>, by <code>{a.pattern}</code>: {patternSays(a.pattern)}</>}
                  {a.expires_at && <>, until <Time at={a.expires_at}>{instant(a.expires_at)}</Time></>}
                </div>
              </div>
              <div className="actions">
                {adds && takes && <Change of={a} label={`Change what ${name} was given${by}`} onChanged={() => changed(`The assignment of ${name} was changed.`)} onFailed={refresh} />}
                {takes && (
                  <Confirmed label="Take away" name={`Take away from ${name}${by}`} title={`Take the assignment from ${name}?`} act="Take away" onAct={() => remove.mutate(a)}>
                    <p>{a.pattern ? `All servers that ${a.pattern} means are taken away, not only this one.` : `${name} loses what it opens at the next request.`}</p>
                  </Confirmed>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <More of={list} what="assignments" />
      {adds && <Addition to={s} onAdded={(a) => changed(`${subjectName(a)} was given ${a.pattern ?? s.name}.`)} />}
    </>
  );
}

function Subject({ of: a, linked }: { of: Assignment; linked: boolean }) {
  if (a.group) return <Link to="/groups/$id" params={{ id: a.group.id }}>{a.group.name}</Link>;
  return linked && a.user?.name ? <Link to="/people/$id" params={{ id: a.user.id }}>{a.user.name}</Link> : subjectName(a);
}

const refusedAs = { user: 'who', group: 'who' };

// assignmentOf returns the assignment that a form describes.
async function assignmentOf(s: Server, values: Record<string, string>, chosen: string[]): Promise<NewAssignment> {
  const [who, pattern, end] = [values['who']?.trim() ?? '', values['pattern']?.trim() ?? '', instantOf(values['expires_at'] ?? '')];
  const rest = { ...(pattern ? { pattern } : { server: s.id }), permissions: accessOf(chosen), ...(end ? { expires_at: end } : {}) };
  if (values['kind'] !== 'group') return { username: who, ...rest };
  const group = await groupNamed(who);
  if (!group) throw unknownName('group', who, 'who');
  return { group: group.id, ...rest };
}

function Addition({ to: s, onAdded }: { to: Server; onAdded: (a: Assignment) => Promise<void> }) {
  const [chosen, setChosen] = useState(chosenOf(noGroup.permissions));
  const add = useMutation({
    mutationFn: async ({ values }: { values: Record<string, string>; reset: () => void }) => assign(await assignmentOf(s, values, chosen)),
    onSuccess: (made, { reset }) => {
      reset();
      return onAdded(made);
    },
  });
  return (
    <>
      <h3>Give access</h3>
      <FilledForm submit="Give access" label="Give access" fields={['who', 'pattern', 'permissions', 'expires_at']} pending={add.isPending} failure={named(add.error, refusedAs)}
        onFill={(values, reset) => add.mutate({ values, reset })}>
        <ChoiceField name="kind" label="To whom" defaultValue="person" choices={[{ value: 'person', label: 'A person' }, { value: 'group', label: 'A group' }]} />
        <Field name="who" label="Username, e-mail address or name of the group" autoComplete="off" hint="The whole of it: parts of names are not found." />
        <Field name="pattern" label="Pattern" autoComplete="off" required={false}
          hint={`Empty: this server, ${s.name}. Otherwise all servers whose name it means, those to come too: * stands for any characters.`} />
        <AccessField value={chosen} onChange={setChosen} />
        <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} hint={endHint} />
      </FilledForm>
    </>
  );
}

// Change gives the same anew and takes the old away, in this order, so that
// nobody is shut out on the way.
function Change({ of: a, label, onChanged, onFailed }: { of: Assignment; label: string; onChanged: () => Promise<void>; onFailed: () => Promise<unknown> }) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(chosenOf(a.permissions));
  const change = useMutation({
    mutationFn: async (values: Record<string, string>) => {
      const typed = values['expires_at'] ?? '';
      const looked = typed === localTime(a.expires_at); // an end that was only looked at keeps its seconds
      if (looked && accessText(accessOf(chosen)) === accessText(a.permissions)) return;
      const end = looked ? a.expires_at : instantOf(typed);
      await assign({
        ...(a.group ? { group: a.group.id } : { user: a.user?.id ?? '' }), ...(a.server ? { server: a.server.id } : { pattern: a.pattern ?? '' }),
        permissions: accessOf(chosen), ...(end ? { expires_at: end } : {}),
      });
      await unassign(a.id);
    },
    onSuccess: () => {
      setOpen(false);
      return onChanged();
    },
    onError: onFailed, // the new one may be there
  });
  const name = subjectName(a);
  return (
    <DialogTrigger isOpen={open} onOpenChange={(next) => { change.reset(); setOpen(next); }}>
      <Button aria-label={label}>Change</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>
            <Heading slot="title" level={2}>{name} on {a.pattern ?? a.server?.name}</Heading>
            <FilledForm submit="Save" label="Assignment" fields={['permissions', 'expires_at']} pending={change.isPending} failure={change.error}
              more={<Button slot="close">Cancel</Button>} onFill={(values) => change.mutate(values)}>
              <AccessField value={chosen} onChange={setChosen} />
              <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} defaultValue={localTime(a.expires_at)} hint={endHint} />
            </FilledForm>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
