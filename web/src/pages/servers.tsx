import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { servers, type Server } from '../api/servers';
import { platformName } from '../servers';
import { Listing } from '../ui/listing';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

// ServersPage lists all servers to who manages them, and to others those that
// they were given, own or manage.
export function ServersPage() {
  const manages = useQuery(meQuery).data?.is_staff === true;
  return (
    <Page title="Servers">
      {!manages && <p>The servers that you were given, own or manage.</p>}
      <div className="actions">
        {manages && <Link className="button primary" to="/servers/register">Register a server</Link>}
        <Link className="button" to="/reach">What you reach, and why</Link>
      </div>
      <Listing path="/servers" title="Servers" load={servers} counted={(count, name) => counted(count, name, manages)} row={(s) => <Row key={s.id} of={s} />}
        narrow={{ field: 'name', label: 'Name', hint: 'Or a part of it.', all: 'Show all servers' }} />
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
