import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { applications, type Application } from '../api/applications';
import { scopesText } from '../applications';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

export interface ApplicationsSearch {
  page?: number;
  name?: string;
}

// ApplicationsPage lists all applications to who manages them, and to others
// those that they run.
export function ApplicationsPage() {
  const search = useSearch({ from: '/signed-in/applications' });
  const navigate = useNavigate();
  const me = useQuery(meQuery);
  const number = search.page ?? 1;
  const name = search.name ?? '';
  const list = useQuery({ queryKey: ['applications', number, name], queryFn: () => applications(number, name), placeholderData: keepPreviousData });
  const go = (to: ApplicationsSearch) => void navigate({ to: '/applications', search: to });
  const manages = me.data?.is_staff === true;
  return (
    <Page title="Applications">
      <p>{manages ? 'Identities of automation, such as a pipeline. They act by tokens of their own, whoever made them.' : 'The applications that you run.'}</p>
      {manages && <div className="actions"><Link className="button primary" to="/applications/new">Make an application</Link></div>}
      {(manages || name !== '') && (
        <FilledForm key={name} submit="Find" label="Find" fields={['name']} pending={false} failure={null}
          onFill={(values) => go({ name: values['name']?.trim() ?? '' })}
          more={name !== '' && <Button onPress={() => go({})}>Show all applications</Button>}>
          <Field name="name" label="Name" autoComplete="off" defaultValue={name} hint="The whole of it." />
        </FilledForm>
      )}
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          <p role="status" className="quiet">{counted(list.data.count, name, manages)}</p>
          <ul className="cards" aria-label="Applications">{list.data.results.map((a) => <Row key={a.id} of={a} />)}</ul>
          {list.data.last > 1 && <Turn current={list.data.current} last={list.data.last} search={search} />}
        </>
      )}
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

function Turn({ current, last, search }: { current: number; last: number; search: ApplicationsSearch }) {
  return (
    <nav aria-label="Pages of applications" className="actions">
      {current > 1 && <Link className="button" to="/applications" search={{ ...search, page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to="/applications" search={{ ...search, page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
