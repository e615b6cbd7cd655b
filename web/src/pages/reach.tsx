import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { reach, type Hold, type Reached } from '../api/why';
import { instant } from '../text';
import { throughText } from '../why';
import { More } from '../ui/more';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { meQuery } from '../ui/shell';

type Of = { server: string } | { user: string } | Record<string, never>;

// ReachPage tells what the person who is signed in reaches.
export function ReachPage() {
  return (
    <Page title="What you reach, and why">
      <p><Link to="/servers" search={{}}>Back to servers</Link></p>
      <Reach of={{}} none="You reach no server." />
    </Page>
  );
}

// Reach lists who reaches a server, or what somebody reaches, with everything by
// which they do.
export function Reach({ of, none }: { of: Of; none: string }) {
  const me = useQuery(meQuery);
  const list = useInfiniteQuery({
    queryKey: ['reach', of],
    queryFn: ({ pageParam }) => reach(of, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  const people = 'server' in of;
  return (
    <>
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">{none}</p>}
      <ul className="cards" aria-label={people ? 'Who reaches it' : 'Servers that are reached'}>
        {all.map((r) => (
          <li key={people ? r.user?.id ?? r.application?.id : r.server.id}>
            <div>
              <strong>{people ? <Who of={r} linked={me.data?.is_staff === true} /> : <Link to="/servers/$id" params={{ id: r.server.id }}>{r.server.name}</Link>}</strong>
              <ul>{r.grants.map((g, i) => <Held key={i} of={g} />)}</ul>
            </div>
          </li>
        ))}
      </ul>
      <More of={list} what={people ? 'people' : 'servers'} />
    </>
  );
}

function Who({ of: r, linked }: { of: Reached; linked: boolean }) {
  if (!r.user) return r.application?.name;
  return linked ? <Link to="/people/$id" params={{ id: r.user.id }}>{r.user.name}</Link> : r.user.name;
}

function Held({ of: g }: { of: Hold }) {
  return (
    <li>
      By {throughText(g)}{g.expires_at && <>, until <Time at={g.expires_at}>{instant(g.expires_at)}</Time></>}
      <span className="quiet">: {g.permissions.join(', ')}</span>
    </li>
  );
}
