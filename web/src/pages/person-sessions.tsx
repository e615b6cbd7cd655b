import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { endPersonSession, endPersonSessions, personSessions } from '../api/people';
import { device } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { SessionCard } from '../ui/session-card';

// PersonSessions lists where somebody else is signed in; guarded ones are only
// to be looked at.
export function PersonSessions({ id, name, guarded }: { id: string; name: string; guarded: boolean }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const key = ['person', id, 'sessions'];
  const list = useQuery({ queryKey: key, queryFn: () => personSessions(id) });
  const changed = (what: string) => {
    announce(what);
    return queries.invalidateQueries({ queryKey: key });
  };
  const end = useMutation({ mutationFn: (session: string) => endPersonSession(id, session), onSuccess: () => changed('The session was ended.') });
  const endAll = useMutation({ mutationFn: () => endPersonSessions(id), onSuccess: () => changed(`All sessions of ${name} were ended.`) });
  const all = list.data?.results ?? [];
  return (
    <>
      <h2>Sessions</h2>
      <Failure of={list.error ?? end.error ?? endAll.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">{name} is signed in nowhere.</p>}
      <ul className="cards" aria-label="Sessions">
        {all.map((s) => (
          <SessionCard key={s.id} of={s} ends={`${name} is signed out on ${device(s.device)} at its next request.`}
            {...(guarded ? {} : { onEnd: () => end.mutate(s.id) })} />
        ))}
      </ul>
      {all.length > 0 && !guarded && (
        <Confirmed label="End all" name={`End all sessions of ${name}`} title={`End all sessions of ${name}?`} act="End all" onAct={() => endAll.mutate()}>
          <p>{name} is signed out everywhere.</p>
        </Confirmed>
      )}
    </>
  );
}
