import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { applications, type Application } from '../api/applications';
import { scopesText } from '../applications';
import { Listing, useNarrowed } from '../ui/listing';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

// ApplicationsPage lists all applications to who manages them, and to others
// those that they run.
export function ApplicationsPage() {
  const manages = useQuery(meQuery).data?.is_staff === true;
  const narrowed = useNarrowed();
  return (
    <Page title="Applications">
      <p>{manages ? 'Identities of automation, such as a pipeline. They act by tokens of their own, whoever made them.' : 'The applications that you run.'}</p>
      {manages && <div className="actions"><Link className="button primary" to="/applications/new">Make an application</Link></div>}
      <Listing path="/applications" title="Applications" load={applications} counted={(count, name) => counted(count, name, manages)} row={(a) => <Row key={a.id} of={a} />}
        narrow={manages || narrowed ? { field: 'name', label: 'Name', hint: 'The whole of it.', all: 'Show all applications' } : undefined} />
    </Page>
  );
}

function counted(count: number, name: string, all: boolean): string {
  if (count > 0) return count === 1 ? 'One application' : `${count} applications`;
  if (name) return 'No application has this name.';
  return all ? 'There is no application yet.' : 'You run no application.';
}

function Row({ of: a }: { of: Application }) {
  return (
    <li>
      <div>
        <strong><Link to="/applications/$id" params={{ id: a.id }}>{a.name}</Link></strong>{' '}
        {!a.enabled && <span className="tag">disabled</span>}
        <div className="quiet">{[`of ${a.owner.name || 'somebody who is gone'}`, scopesText(a.scopes)].join('; ')}</div>
      </div>
    </li>
  );
}
