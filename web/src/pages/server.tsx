import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';

import { personNamed } from '../api/people';
import { deleteServer, patchServer, server, type Brief, type ChangedServer, type Server, type ServerPatch } from '../api/servers';
import { keptOr, linesOf, openedText, platformName, unknownName } from '../servers';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { meQuery } from '../ui/shell';
import { TypedConfirm } from '../ui/typed-confirm';
import { WorkCheck } from '../ui/work-check';
import { Reach } from './reach';
import { ServerAccess } from './server-access';
import { ServerNotes } from './server-notes';

export function ServerPage() {
  const { id } = useParams({ from: '/signed-in/servers/$id' });
  return <One key={id} id={id} />;
}

function One({ id }: { id: string }) {
  const me = useQuery(meQuery);
  const one = useQuery({ queryKey: ['server', id], queryFn: () => server(id) });
  const back = <p><Link to="/servers" search={{}}>Back to servers</Link></p>;
  if (!one.data) return <Page title="Server">{back}<Failure of={one.error} />{one.isPending && <Loading />}</Page>;
  const s = one.data;
  const may = (what: string) => s.allowed.includes(what);
  const staff = me.data?.is_staff === true;
  return (
    <Page title={s.name}>
      {back}
      <dl className="facts">
        <dt>Platform</dt><dd>{platformName(s.platform)}</dd>
        <dt>Owner</dt><dd><Person of={s.owner} linked={staff} /></dd>
        {s.managers.length > 0 && <><dt>Managers</dt><dd>{s.managers.map((m, i) => <span key={m.id}>{i > 0 && ', '}<Person of={m} linked={staff} /></span>)}</dd></>}
        {s.groups.length > 0 && <><dt>Opened by the groups</dt><dd>{s.groups.join(', ')}</dd></>}
        <dt>Agent</dt><dd>{s.is_connected ? 'connected' : 'not connected'}</dd>
        <dt>Here since</dt><dd><Time at={s.added_at}>{instant(s.added_at)}</Time></dd>
      </dl>
      <WorkCheck of={s} />
      {may('server:update') && <Change of={s} />}
      {may('assignment:read') && <ServerAccess of={s} />}
      {staff && (
        <>
          <h2>Who can reach this server, and why</h2>
          <Reach of={{ server: id }} none="Nobody reaches it." />
        </>
      )}
      {may('note:read') && <ServerNotes of={s} />}
      {may('server:delete') && <Deletion of={s} />}
    </Page>
  );
}

function Person({ of: p, linked }: { of: Brief; linked: boolean }) {
  const name = p.name || 'somebody who is gone';
  return linked && p.name ? <Link to="/people/$id" params={{ id: p.id }}>{name}</Link> : name;
}

// useSave changes a server, and returns what follows.
function useSave(s: Server) {
  const queries = useQueryClient();
  return async (p: ServerPatch): Promise<ChangedServer> => {
    const after = await patchServer(s.id, p);
    queries.setQueryData(['server', s.id], after);
    void queries.invalidateQueries({ queryKey: ['server', s.id] });
    void queries.invalidateQueries({ queryKey: ['servers'] });
    void queries.invalidateQueries({ queryKey: ['reach'] });
    return after;
  };
}

function Change({ of: s }: { of: Server }) {
  const announce = useAnnounce();
  const save = useSave(s);
  const rename = useMutation({
    mutationFn: (name: string) => save({ name }),
    onSuccess: (after) => announce(`The server is named ${after.name}. ${openedText(after)}`),
  });
  const give = useMutation({
    mutationFn: async (values: Record<string, string>) => save(await people(s, values)),
    onSuccess: () => announce('Owner and managers were saved.'),
  });
  const opened = rename.data ? openedText(rename.data) : '';
  return (
    <>
      <h2>Name</h2>
      {rename.isSuccess && <Notice kind={opened ? 'warning' : 'success'}>The server was renamed. {opened || 'No pattern that was there opens it since.'}</Notice>}
      <FilledForm submit="Rename" label="Name" fields={['name']} pending={rename.isPending} failure={rename.error}
        onFill={(values) => rename.mutate(values['name']?.trim() ?? '')}>
        <Field name="name" label="Name of the server" autoComplete="off" defaultValue={s.name}
          hint="Letters, digits, - and _. Patterns of roles, groups and assignments go by it: another name may open the server to others." />
      </FilledForm>
      <h2>Owner and managers</h2>
      {give.isSuccess && <Notice kind="success">Owner and managers were saved.</Notice>}
      <FilledForm key={[s.owner, ...s.managers].map((b) => b.id).join()} submit="Save owner and managers" label="Owner and managers" fields={['owner', 'managers']} pending={give.isPending} failure={give.error}
        onFill={(values) => give.mutate(values)}>
        <Field name="owner" label="Owner" autoComplete="off" defaultValue={s.owner.email || s.owner.name} hint="Username or e-mail address, the whole of it." />
        <Field name="managers" label="Managers" autoComplete="off" required={false} defaultValue={s.managers.map((m) => m.email || m.name).join('\n')} lines={3}
          hint="One a line. They run the server, and cannot give it away or delete it." />
      </FilledForm>
    </>
  );
}

// people returns what a form changed of who runs a server.
async function people(s: Server, values: Record<string, string>): Promise<ServerPatch> {
  const there = [s.owner, ...s.managers];
  const find = async (name: string, field: string) => {
    const found = keptOr(name, there) ?? (await personNamed(name))?.id;
    if (!found) throw unknownName('person', name, field);
    return { id: found };
  };
  const owner = await find(values['owner']?.trim() ?? '', 'owner');
  const managers: { id: string }[] = [];
  for (const line of linesOf(values['managers'] ?? '')) {
    const one = await find(line, 'managers');
    if (!managers.some((m) => m.id === one.id)) managers.push(one); // by another of their names
  }
  const same = managers.map((m) => m.id).join() === s.managers.map((m) => m.id).join();
  return { ...(owner.id !== s.owner.id ? { owner } : {}), ...(same ? {} : { managers }) };
}

function Deletion({ of: s }: { of: Server }) {
  const announce = useAnnounce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteServer(s.id),
    onSuccess: async () => {
      announce('The server was deleted.');
      await navigate({ to: '/servers', search: {} });
      queries.removeQueries({ queryKey: ['server', s.id] });
      await queries.invalidateQueries({ queryKey: ['servers'] });
    },
  });
  return (
    <>
      <h2>End of the server</h2>
      <Failure of={remove.error} />
      <TypedConfirm label="Delete server" name={s.name} title={`Delete ${s.name}?`} act="Delete" onAct={() => remove.mutate()}>
        <p>Its assignments and notes go with it, and its agent is refused. This cannot be undone.</p>
      </TypedConfirm>
    </>
  );
}
