import { Link } from '@tanstack/react-router';

import { people } from '../api/people';
import type { User } from '../api/types';
import { nameOf, roleName, roleOf } from '../text';
import { Listing } from '../ui/listing';
import { Page } from '../ui/page';
import { Invitations } from './invitations';

export function PeoplePage() {
  return (
    <Page title="People">
      <div className="actions">
        <Link className="button primary" to="/people/invite">Invite somebody</Link>
        <Link className="button" to="/people/new">Make an account</Link>
      </div>
      <Listing path="/people" title="People" load={people} counted={counted} row={(u) => <Person key={u.id} of={u} />}
        narrow={{ field: 'username', label: 'Username or e-mail address', hint: 'The whole of it: parts of names are not found.', all: 'Show everybody' }} />
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
