import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { endAllSessions, endSession, sessions } from '../api/calls';
import type { LoginSession } from '../api/types';
import { age, device, instant, methodName } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';

export function MySessionsPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const list = useQuery({ queryKey: ['sessions'], queryFn: sessions });
  const leave = () => {
    queries.clear();
    void navigate({ to: '/signin', search: {} });
  };
  const end = useMutation({
    mutationFn: (s: LoginSession) => endSession(s.id),
    onSuccess: (_, s) => {
      if (s.current) return leave();
      announce('The session was ended.');
      return void queries.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  const endAll = useMutation({ mutationFn: endAllSessions, onSuccess: leave });
  return (
    <Page title="My sessions">
      <p>Where you are signed in now. End what you do not know.</p>
      <Failure of={list.error ?? end.error ?? endAll.error} />
      {list.isPending ? <Loading /> : (
        <ul className="cards" aria-label="Sessions">
          {(list.data?.results ?? []).map((s) => <Row key={s.id} session={s} onEnd={() => end.mutate(s)} />)}
        </ul>
      )}
      <Confirmed label="End all sessions" title="End all sessions?" act="End all" onAct={() => endAll.mutate()}>
        <p>You are signed out everywhere, here too.</p>
      </Confirmed>
    </Page>
  );
}

const kinds: Record<string, string> = { web: 'Browser', cli: 'Command line' };

function Row({ session: s, onEnd }: { session: LoginSession; onEnd: () => void }) {
  const name = device(s.device);
  return (
    <li>
      <div>
        <strong>{name}</strong> {s.current && <span className="tag">This session</span>}
        <dl className="facts">
          <dt>Kind</dt><dd>{kinds[s.kind] ?? s.kind}</dd>
          <dt>Address</dt><dd>{s.address}</dd>
          <dt>Signed in</dt><dd><Time at={s.created_at}>{instant(s.created_at)}</Time> with {s.factors.map(methodName).join(', ').toLowerCase()}</dd>
          <dt>Last used</dt><dd><Time at={s.seen_at}>{instant(s.seen_at)}</Time></dd>
          <dt>Ends</dt><dd><Time at={s.ends_at}>{instant(s.ends_at)}</Time> at the latest</dd>
          <dt>Second factor</dt><dd>{s.mfa_age_seconds === null ? 'not verified' : `verified ${age(s.mfa_age_seconds)}`}</dd>
        </dl>
      </div>
      <Confirmed label="End" name={`End the session on ${name}${s.current ? ', this one' : ''}`} title="End this session?" act="End session" onAct={onEnd}>
        <p>{s.current ? 'You are signed out here.' : `${name} is signed out at its next request.`}</p>
      </Confirmed>
    </li>
  );
}
