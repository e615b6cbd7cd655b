import type { Explanation } from '../api/why';
import { instant } from '../text';
import { examinedText, makersText, stepText, throughText } from '../why';
import { Time } from './page';

// ExplanationShown tells whether something is allowed, what was looked at, and
// which change would allow it.
export function ExplanationShown({ of: e }: { of: Explanation }) {
  return (
    <>
      <p><strong>{e.allowed ? 'Allowed.' : 'Not allowed.'}</strong> {!e.allowed && <>First condition that fails: {e.failing_condition}.</>}</p>
      {e.grants.length === 0 ? <p>There was nothing to look at: no role, group or assignment.</p> : (
        <>
          <p>What was looked at:</p>
          <ul aria-label="What was looked at">
            {e.grants.map((g, i) => (
              <li key={i}>
                {throughText(g)}: {examinedText(g)}
                {g.expires_at && <>, until <Time at={g.expires_at}>{instant(g.expires_at)}</Time></>}
              </li>
            ))}
          </ul>
        </>
      )}
      {e.step && <p>Smallest change that would allow it: {stepText(e.step)} {makersText(e.step)}</p>}
      {!e.allowed && !e.step && <p>No single change would allow it.</p>}
    </>
  );
}
