import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { people } from '../api/people';
import type { User } from '../api/types';
import { nameOf, roleName, roleOf } from '../text';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { Invitations } from './invitations';

export interface PeopleSearch {
  page?: number;
  name?: string;
}

export function PeoplePage() {
  const search = useSearch({ from: '/signed-in/people' });
  const navigate = useNavigate();
  const number = search.page ?? 1;
  const name = search.name ?? '';
  const list = useQuery({ queryKey: ['people', number, name], queryFn: () => people(number, name), placeholderData: keepPreviousData });
  const go = (to: PeopleSearch) => void navigate({ to: '/people', search: to });
  return (
    <Page title="People">
      <div className="actions">
        <Link className="button primary" to="/people/invite">Invite somebody</Link>
        <Link className="button" to="/people/new">Make an account</Link>
      </div>
      <FilledForm key={name} submit="Find" label="Find" fields={['username']} pending={false} failure={null}
        onFill={(values) => go({ name: values['username']?.trim() ?? '' })}
        more={name !== '' && <Button onPress={() => go({})}>Show everybody</Button>}>
        <Field name="username" label="Username or e-mail address" autoComplete="off" defaultValue={name}
          hint="The whole of it: parts of names are not found." />
      </FilledForm>
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          <p role="status" className="quiet">{counted(list.data.count, name)}</p>
          <ul className="cards" aria-label="People">{list.data.results.map((u) => <Person key={u.id} of={u} />)}</ul>
          {list.data.last > 1 && <Turn current={list.data.current} last={list.data.last} search={search} />}
        </>
      )}
      <Invitations />
    </Page>
  );
}

function counted(count: number, name: string): string {
  if (count === 0) return name ? 'Nobody has this username or e-mail address.' : 'Nobody is here.';
  return count === 1 ? 'One person' : `${count} people`;
}

function Person({ of: u }: { of: User }) {
  return (
    <li>
      <div>
        <strong><Link to="/people/$id" params={{ id: u.id }}>{nameOf(u)}</Link></strong>{' '}
        {!u.is_active && <span className="tag">disabled</span>}
        <div className="quiet">{[u.username || 'no username yet', u.email, roleName(roleOf(u)).toLowerCase(), u.is_active && 'active'].filter(Boolean).join(', ')}</div>
      </div>
    </li>
  );
}

function Turn({ current, last, search }: { current: number; last: number; search: PeopleSearch }) {
  return (
    <nav aria-label="Pages of people" className="actions">
      {current > 1 && <Link className="button" to="/people" search={{ ...search, page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to="/people" search={{ ...search, page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
