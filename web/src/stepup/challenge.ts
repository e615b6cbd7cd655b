import { useCallback, useRef } from 'react';

import { openChallenge, verifyChallenge } from '../api/calls';
import { isCode } from '../api/problem';
import type { Challenge, Method, Purpose, VerifyAnswer } from '../api/types';

// useVerification returns what answers a challenge of this purpose. It opens
// the challenge with the first answer, keeps it while answers are wrong, and
// opens another one when it has ended.
export function useVerification(purpose: Purpose): (method: Method, code: string) => Promise<VerifyAnswer> {
  const open = useRef<Challenge | null>(null);
  return useCallback(async (method, code) => {
    if (open.current?.method !== method) open.current = await openChallenge(method, purpose);
    try {
      return await verifyChallenge(open.current.id, code);
    } catch (failure) {
      if (!isCode(failure, 'challenge_not_found')) {
        if (isCode(failure, 'mfa_too_many_attempts')) open.current = null;
        throw failure;
      }
      open.current = await openChallenge(method, purpose);
      return verifyChallenge(open.current.id, code);
    }
  }, [purpose]);
}
