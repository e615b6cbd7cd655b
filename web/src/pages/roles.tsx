import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';

import { roles, type Role } from '../api/roles';
import { permitted } from '../roles';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

export interface RolesSearch {
  page?: number;
}

// RolesPage lists the roles, built-in ones first.
export function RolesPage() {
  const search = useSearch({ from: '/signed-in/roles' });
  const me = useQuery(meQuery);
  const number = search.page ?? 1;
  const list = useQuery({ queryKey: ['roles', number], queryFn: () => roles(number), placeholderData: keepPreviousData });
  return (
    <Page title="Roles">
      {me.data?.is_superuser && <div className="actions"><Link className="button primary" to="/roles/new">Make a role</Link></div>}
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          <ul className="cards" aria-label="Roles">{list.data.results.map((r) => <Row key={r.id} of={r} />)}</ul>
          {list.data.last > 1 && <Turn current={list.data.current} last={list.data.last} />}
        </>
      )}
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

function Turn({ current, last }: { current: number; last: number }) {
  return (
    <nav aria-label="Pages of roles" className="actions">
      {current > 1 && <Link className="button" to="/roles" search={{ page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to="/roles" search={{ page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
