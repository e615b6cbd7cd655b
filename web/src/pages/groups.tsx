import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { groups } from '../api/groups';
import type { Group } from '../api/types';
import { Listing, useNarrowed } from '../ui/listing';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

// GroupsPage lists all groups to who manages them, and to others their own.
export function GroupsPage() {
  const manages = useQuery(meQuery).data?.is_staff === true;
  const narrowed = useNarrowed();
  return (
    <Page title="Groups">
      {manages ? (
        <div className="actions">
          <Link className="button primary" to="/groups/new">Make a group</Link>
          <Link className="button" to="/groups/import">Import a configuration</Link>
        </div>
      ) : <p>The groups that you are in.</p>}
      <Listing path="/groups" title="Groups" load={groups} counted={(count, name) => counted(count, name, manages)} row={(g) => <Row key={g.id} of={g} />}
        narrow={manages || narrowed ? { field: 'name', label: 'Name', hint: 'Or a part of it.', all: 'Show all groups' } : undefined} />
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
