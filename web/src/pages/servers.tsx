import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { servers, type Server } from '../api/servers';
import { platformName } from '../servers';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

export interface ServersSearch {
  page?: number;
  name?: string;
}

// ServersPage lists all servers to who manages them, and to others those that
// they were given, own or manage.
export function ServersPage() {
  const search = useSearch({ from: '/signed-in/servers' });
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const number = search.page ?? 1;
  const name = search.name ?? '';
  const list = useQuery({ queryKey: ['servers', number, name], queryFn: () => servers(number, name), placeholderData: keepPreviousData });
  const go = (to: ServersSearch) => void navigate({ to: '/servers', search: to });
  const manages = me.data?.is_staff === true;
  return (
    <Page title="Servers">
      {!manages && <p>The servers that you were given, own or manage.</p>}
      <div className="actions">
        {manages && <Link className="button primary" to="/servers/register">Register a server</Link>}
        <Link className="button" to="/reach">What you reach, and why</Link>
      </div>
      <FilledForm key={name} submit="Find" label="Find" fields={['name']} pending={false} failure={null}
        onFill={(values) => go({ name: values['name']?.trim() ?? '' })}
        more={name !== '' && <Button onPress={() => go({})}>Show all servers</Button>}>
        <Field name="name" label="Name" autoComplete="off" defaultValue={name} hint="Or a part of it." />
      </FilledForm>
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          <p role="status" className="quiet">{counted(list.data.count, name, manages)}</p>
          <ul className="cards" aria-label="Servers">{list.data.results.map((s) => <Row key={s.id} of={s} />)}</ul>
          {list.data.last > 1 && <Turn current={list.data.current} last={list.data.last} search={search} />}
        </>
      )}
    </Page>
  );
}

function counted(count: number, name: string, all: boolean): string {
  if (count > 0) return count === 1 ? 'One server' : `${count} servers`;
  if (name) return 'No server has this in its name.';
  return all ? 'There is no server yet.' : 'You have no server.';
}

function Row({ of: s }: { of: Server }) {
  return (
    <li>
      <div>
        <strong><Link to="/servers/$id" params={{ id: s.id }}>{s.name}</Link></strong>
        <div className="quiet">{[platformName(s.platform), s.owner.name && `owned by ${s.owner.name}`, s.groups.length > 0 && `opened by ${s.groups.join(', ')}`].filter(Boolean).join('; ')}</div>
      </div>
    </li>
  );
}

function Turn({ current, last, search }: { current: number; last: number; search: ServersSearch }) {
  return (
    <nav aria-label="Pages of servers" className="actions">
      {current > 1 && <Link className="button" to="/servers" search={{ ...search, page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to="/servers" search={{ ...search, page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
