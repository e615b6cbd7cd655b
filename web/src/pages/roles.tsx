import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { roles, type Role } from '../api/roles';
import { permitted } from '../roles';
import { Listing } from '../ui/listing';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

// RolesPage lists the roles, built-in ones first.
export function RolesPage() {
  const me = useQuery(meQuery);
  return (
    <Page title="Roles">
      {me.data?.is_superuser && <div className="actions"><Link className="button primary" to="/roles/new">Make a role</Link></div>}
      <Listing path="/roles" title="Roles" load={roles} row={(r) => <Row key={r.id} of={r} />} />
    </Page>
  );
}

function Row({ of: r }: { of: Role }) {
  if (!r.built_in) {
    return (
      <li>
        <div>
          <strong><Link to="/roles/$id" params={{ id: r.id }}>{r.name}</Link></strong>
          {r.description && <div className="quiet lines">{r.description}</div>}
        </div>
      </li>
    );
  }
  return (
    <li>
      <div>
        <strong>{r.name}</strong> <span className="tag">built in</span>
        <div className="quiet">{r.description}</div>
        <details>
          <summary>What {r.name} permits</summary>
          <Permitted of={r.permissions} />
        </details>
      </div>
    </li>
  );
}

// Permitted lists permissions by resource.
export function Permitted({ of: all }: { of: string[] }) {
  return (
    <dl className="facts">
      {permitted(all).map((p) => <div className="pair" key={p.resource}><dt>{p.resource}</dt><dd>{p.actions}</dd></div>)}
    </dl>
  );
}
