import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'react-aria-components';

import { openInvitations, withdrawInvitation } from '../api/people';
import type { OpenInvitation } from '../api/types';
import { instant, roleName } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';
import { meQuery } from '../ui/shell';

// Invitations lists those that nobody has accepted yet.
export function Invitations() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const me = useQuery(meQuery);
  const list = useInfiniteQuery({
    queryKey: ['invitations'],
    queryFn: ({ pageParam }) => openInvitations(pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const withdraw = useMutation({
    mutationFn: (i: OpenInvitation) => withdrawInvitation(i.id),
    onSuccess: (_, i) => {
      announce(`The invitation of ${i.email} was withdrawn.`);
      return queries.invalidateQueries({ queryKey: ['invitations'] });
    },
  });
  const open = list.data?.pages.flatMap((p) => p.results) ?? [];
  return (
    <>
      <h2>Open invitations</h2>
      <Failure of={list.error ?? withdraw.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && open.length === 0 && <p className="quiet">None is open.</p>}
      <ul className="cards" aria-label="Open invitations">
        {open.map((i) => (
          <li key={i.id}>
            <div>
              <strong>{i.email}</strong>
              <div className="quiet">{roleName(i.role)}, open until <Time at={i.expires_at}>{instant(i.expires_at)}</Time></div>
            </div>
            {(i.role === 'member' || me.data?.is_superuser) && (
              <Confirmed label="Withdraw" name={`Withdraw the invitation of ${i.email}`} title="Withdraw this invitation?" act="Withdraw" onAct={() => withdraw.mutate(i)}>
                <p>The link that was mailed to {i.email} stops working.</p>
              </Confirmed>
            )}
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="actions"><Button onPress={() => void list.fetchNextPage()} className={list.isFetchingNextPage ? 'busy' : 'plain'}>More invitations</Button></div>
      )}
    </>
  );
}
