import type { Token } from '../api/tokens';
import { instant } from '../text';
import { scopesText, stateOf } from '../tokens';
import { Time } from './page';

// TokenFacts tells in a line what a token may, until when, and when it was used.
export function TokenFacts({ of: t }: { of: Token }) {
  return (
    <div className="quiet">
      {scopesText(t.scopes)}; {t.expires_at ? <>until <Time at={t.expires_at}>{instant(t.expires_at)}</Time></> : 'without end'};{' '}
      {t.last_used_at ? <>last used <Time at={t.last_used_at}>{instant(t.last_used_at)}</Time></> : 'never used'}
    </div>
  );
}

export function TokenState({ of: t }: { of: Token }) {
  const state = stateOf(t, Date.now());
  return state ? <span className="tag">{state}</span> : null;
}
