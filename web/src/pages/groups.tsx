import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { groups } from '../api/groups';
import type { Group } from '../api/types';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

export interface GroupsSearch {
  page?: number;
  name?: string;
}

// GroupsPage lists all groups to who manages them, and to others their own.
export function GroupsPage() {
  const search = useSearch({ from: '/signed-in/groups' });
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const number = search.page ?? 1;
  const name = search.name ?? '';
  const list = useQuery({ queryKey: ['groups', number, name], queryFn: () => groups(number, name), placeholderData: keepPreviousData });
  const go = (to: GroupsSearch) => void navigate({ to: '/groups', search: to });
  const manages = me.data?.is_staff === true;
  return (
    <Page title="Groups">
      {manages ? (
        <div className="actions">
          <Link className="button primary" to="/groups/new">Make a group</Link>
          <Link className="button" to="/groups/import">Import a configuration</Link>
        </div>
      ) : <p>The groups that you are in.</p>}
      {(manages || name !== '') && (
        <FilledForm key={name} submit="Find" label="Find" fields={['name']} pending={false} failure={null}
          onFill={(values) => go({ name: values['name']?.trim() ?? '' })}
          more={name !== '' && <Button onPress={() => go({})}>Show all groups</Button>}>
          <Field name="name" label="Name" autoComplete="off" defaultValue={name} hint="Or a part of it." />
        </FilledForm>
      )}
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          <p role="status" className="quiet">{counted(list.data.count, name, manages)}</p>
          <ul className="cards" aria-label="Groups">{list.data.results.map((g) => <Row key={g.id} of={g} />)}</ul>
          {list.data.last > 1 && <Turn current={list.data.current} last={list.data.last} search={search} />}
        </>
      )}
    </Page>
  );
}

function counted(count: number, name: string, all: boolean): string {
  if (count > 0) return count === 1 ? 'One group' : `${count} groups`;
  if (name) return 'No group has this in its name.';
  return all ? 'There is no group yet.' : 'You are in no group.';
}

function Row({ of: g }: { of: Group }) {
  const members = g.allowed.includes('membership:read') && (g.num_members === 1 ? 'one member' : `${g.num_members} members`);
  return (
    <li>
      <div>
        <strong><Link to="/groups/$id" params={{ id: g.id }}>{g.name}</Link></strong>
        <div className="quiet">{[g.display_name, members, g.server_patterns.join(', ')].filter(Boolean).join('; ')}</div>
      </div>
    </li>
  );
}

function Turn({ current, last, search }: { current: number; last: number; search: GroupsSearch }) {
  return (
    <nav aria-label="Pages of groups" className="actions">
      {current > 1 && <Link className="button" to="/groups" search={{ ...search, page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to="/groups" search={{ ...search, page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
