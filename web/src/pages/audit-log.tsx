import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Switch } from 'react-aria-components';

import { auditEvents, type AuditFilter } from '../api/calls';
import type { AuditEvent } from '../api/types';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { Why } from '../ui/why';
import { meQuery } from '../ui/shell';

export interface AuditSearch {
  app?: string;
  model?: string;
  mine?: boolean;
}

export function AuditLogPage() {
  const search = useSearch({ from: '/signed-in/audit' });
  const person = useQuery(meQuery);
  const announce = useAnnounce();
  const everything = person.data?.is_staff === true;
  const filter: AuditFilter = {
    ...(search.app ? { app: search.app } : {}),
    ...(search.model ? { model: search.model } : {}),
    ...(search.mine && person.data ? { user: person.data.id } : {}),
  };
  const log = useInfiniteQuery({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam }) => auditEvents(filter, pageParam),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
  });
  const events = log.data?.pages.flatMap((p) => p.results) ?? [];
  const older = async () => {
    const after = await log.fetchNextPage();
    const count = after.data?.pages.at(-1)?.results.length ?? 0;
    announce(count === 0 ? 'No events in this part of the log.' : `${count} older events were added.`);
  };
  return (
    <Page title="Audit log">
      <p>{everything ? 'What happened in this workspace, newest first.' : 'What you did and what was done to your account, newest first.'}</p>
      <Filters key={JSON.stringify(search)} now={search} everything={everything} events={events} />
      <Failure of={log.error} />
      {log.isPending ? <Loading /> : (
        <>
          <ol className="log" aria-label="Events">{events.map((e) => <Entry key={e.id} event={e} />)}</ol>
          {events.length === 0 && !log.hasNextPage && <p className="quiet">No events.</p>}
          {log.hasNextPage
            ? <div className="actions"><Button onPress={older} className={log.isFetchingNextPage ? 'busy' : 'plain'}>Older events</Button></div>
            : events.length > 0 && <p className="quiet">This is where the log begins.</p>}
        </>
      )}
    </Page>
  );
}

function Filters({ now, everything, events }: { now: AuditSearch; everything: boolean; events: AuditEvent[] }) {
  const navigate = useNavigate();
  const [mine, setMine] = useState(now.mine === true);
  const go = (search: AuditSearch) => void navigate({ to: '/audit', search });
  const apply = (values: Record<string, string>) => {
    const [app, model] = [values['app']?.trim(), values['model']?.trim()];
    go({ ...(app ? { app } : {}), ...(model ? { model } : {}), ...(mine ? { mine } : {}) });
  };
  const offered = (of: 'app' | 'model') => [...new Set(events.map((e) => e[of]))].sort();
  return (
    <details className="filters" open={Object.keys(now).length > 0}>
      <summary>Filter</summary>
      <FilledForm submit="Apply" label="Filter" fields={['app', 'model']} pending={false} failure={null} onFill={apply}
        more={<Button onPress={() => go({})}>Show everything</Button>}>
        <Field name="app" label="App" autoComplete="off" required={false} defaultValue={now.app ?? ''} list="apps" />
        <Field name="model" label="Model" autoComplete="off" required={false} defaultValue={now.model ?? ''} list="models" />
        {(['app', 'model'] as const).map((of) => (
          <datalist key={of} id={`${of}s`}>{offered(of).map((v) => <option key={v} value={v} />)}</datalist>
        ))}
        {everything && (
          <Switch isSelected={mine} onChange={setMine}><span className="track" aria-hidden="true" />Only my own</Switch>
        )}
      </FilledForm>
    </details>
  );
}

// The event of a refusal by the authorization decision, which can be asked why.
const deniedCode = 'PD4040W';

function Entry({ event: e }: { event: AuditEvent }) {
  const who = e.user?.name || e.username || 'Nobody signed in';
  return (
    <li data-code={e.code}>
      <div className="line">
        <code>{e.code}</code> <strong>{e.description}</strong> {e.outcome !== 'success' && <span className="tag">{e.outcome}</span>}
        {e.privileged && <span className="tag">privileged</span>}
      </div>
      <div className="quiet">
        {who}{e.ip && ` from ${e.ip}`}, <Time at={e.added_at}>{instant(e.added_at)}</Time>, {e.app}.{e.model}.{e.action}
        {e.target && `, on ${e.target}`}
      </div>
      {e.code === deniedCode && e.decision_id && <Why decision={e.decision_id} />}
      {e.changes.length > 0 && (
        <details>
          <summary>{e.changes.length === 1 ? '1 change' : `${e.changes.length} changes`}</summary>
          <div className="scroll" tabIndex={0} role="group" aria-label="Changes">
            <table>
              <thead><tr><th scope="col">What</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
              <tbody>{e.changes.map((c) => <tr key={c.path}><th scope="row">{c.path}</th><td>{c.before}</td><td>{c.after}</td></tr>)}</tbody>
            </table>
          </div>
        </details>
      )}
    </li>
  );
}
