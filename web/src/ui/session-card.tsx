import type { LoginSession } from '../api/types';
import { age, device, instant, methodName, sessionKind } from '../text';
import { Confirmed } from './confirm';
import { Time } from './page';

// SessionCard is one session in a list, with a way to end it; ends says what
// that does.
export function SessionCard({ of: s, ends, onEnd }: { of: LoginSession; ends: string; onEnd?: () => void }) {
  const name = device(s.device);
  return (
    <li>
      <div>
        <strong>{name}</strong> {s.current && <span className="tag">This session</span>}
        <dl className="facts">
          <dt>Kind</dt><dd>{sessionKind(s.kind)}</dd>
          <dt>Address</dt><dd>{s.address}</dd>
          <dt>Signed in</dt><dd><Time at={s.created_at}>{instant(s.created_at)}</Time> with {s.factors.map(methodName).join(', ').toLowerCase()}</dd>
          <dt>Last used</dt><dd><Time at={s.seen_at}>{instant(s.seen_at)}</Time></dd>
          <dt>Ends</dt><dd><Time at={s.ends_at}>{instant(s.ends_at)}</Time> at the latest</dd>
          <dt>Second factor</dt><dd>{s.mfa_age_seconds === null ? 'not verified' : `verified ${age(s.mfa_age_seconds)}`}</dd>
        </dl>
      </div>
      {onEnd && (
        <Confirmed label="End" name={`End the session on ${name}${s.current ? ', this one' : ''}`} title="End this session?" act="End session" onAct={onEnd}>
          <p>{ends}</p>
        </Confirmed>
      )}
    </li>
  );
}
