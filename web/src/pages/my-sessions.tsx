import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { endAllSessions, endOtherSessions, endSession, sessions } from '../api/calls';
import type { LoginSession } from '../api/types';
import { device } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { SessionCard } from '../ui/session-card';
import { KnownDevices } from './known-devices';

export function MySessionsPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const list = useQuery({ queryKey: ['sessions'], queryFn: sessions });
  const leave = () => {
    queries.clear();
    void navigate({ to: '/signin', search: {} });
  };
  const changed = (what: string) => {
    announce(what);
    return queries.invalidateQueries({ queryKey: ['sessions'] });
  };
  const end = useMutation({
    mutationFn: (s: LoginSession) => endSession(s.id),
    onSuccess: (_, s) => {
      if (s.current) return leave();
      return void changed('The session was ended.');
    },
  });
  const endOthers = useMutation({ mutationFn: endOtherSessions, onSuccess: () => changed('All other sessions were ended.') });
  const endAll = useMutation({ mutationFn: endAllSessions, onSuccess: leave });
  const all = list.data?.results ?? [];
  return (
    <Page title="My sessions">
      <p>Where you are signed in now. End what you do not know.</p>
      <Failure of={list.error ?? end.error ?? endOthers.error ?? endAll.error} />
      {list.isPending ? <Loading /> : (
        <ul className="cards" aria-label="Sessions">
          {all.map((s) => (
            <SessionCard key={s.id} of={s} onEnd={() => end.mutate(s)}
              ends={s.current ? 'You are signed out here.' : `${device(s.device)} is signed out at its next request.`} />
          ))}
        </ul>
      )}
      <div className="actions">
        {all.some((s) => !s.current) && (
          <Confirmed label="End all others" title="End all other sessions?" act="End the others" onAct={() => endOthers.mutate()}>
            <p>You stay signed in here, and are signed out everywhere else.</p>
          </Confirmed>
        )}
        <Confirmed label="End all sessions" title="End all sessions?" act="End all" onAct={() => endAll.mutate()}>
          <p>You are signed out everywhere, here too.</p>
        </Confirmed>
      </div>
      <KnownDevices />
    </Page>
  );
}
