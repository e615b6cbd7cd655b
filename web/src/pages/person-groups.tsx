import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { memberships } from '../api/groups';
import { memberRoleName } from '../groups';
import { instant } from '../text';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';

// PersonGroups lists the groups that somebody is in.
export function PersonGroups({ id, name }: { id: string; name: string }) {
  const list = useInfiniteQuery({
    queryKey: ['person', id, 'groups'],
    queryFn: ({ pageParam }) => memberships({ user: id }, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  return (
    <>
      <h2>Groups</h2>
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">{name} is in no group.</p>}
      <ul className="cards" aria-label="Groups">
        {all.map((m) => (
          <li key={m.id}>
            <div>
              <strong><Link to="/groups/$id" params={{ id: m.group }}>{m.group_name}</Link></strong>
              <div className="quiet">{memberRoleName(m.role)}{m.expires_at && <>, until <Time at={m.expires_at}>{instant(m.expires_at)}</Time></>}</div>
            </div>
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="actions"><Button onPress={() => void list.fetchNextPage()} className={list.isFetchingNextPage ? 'busy' : 'plain'}>More groups</Button></div>
      )}
    </>
  );
}
