import type { ReactNode } from 'react';

import { isCode, Problem, sentenceOf } from '../api/problem';
import { Why } from './why';

// Failure tells why something was not done; nothing when there is no failure. A
// refusal that was decided can be asked why.
export function Failure({ of: failure }: { of: unknown }) {
  if (failure === null || failure === undefined) return null;
  if (isCode(failure, 'step_up_cancelled')) return <Notice kind="info">{failure.message}</Notice>;
  const problem = failure instanceof Problem ? failure : null;
  return (
    <div role="alert" className="notice failure">
      <p>{sentenceOf(failure)}</p>
      {problem?.decisionID && <Why decision={problem.decisionID} />}
      {problem && problem.status >= 500 && problem.requestID && <p className="small">Request <code>{problem.requestID}</code></p>}
    </div>
  );
}

// Notice is part of the page: what appears after an action is announced besides.
export function Notice({ kind, children }: { kind: 'info' | 'success' | 'warning'; children: ReactNode }) {
  return <div className={`notice ${kind}`}>{children}</div>;
}

export function Loading() {
  return <p role="status" className="quiet">Loading…</p>;
}
