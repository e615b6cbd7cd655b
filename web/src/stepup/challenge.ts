import { useMemo, useRef } from 'react';

import { openChallenge, verifyChallenge } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import type { Challenge, Method, Purpose, VerifyAnswer } from '../api/types';

export interface Verification {
  // send has a code mailed; codes of before are worth nothing any more.
  send: () => Promise<Challenge>;
  answer: (method: Method, code: string) => Promise<VerifyAnswer>;
}

const sendAnother = () => new Problem(0, 'challenge_not_found', 'This code is not valid any more. Have a new one mailed.', 'code');

// useVerification returns what answers a challenge of this purpose. It opens
// the challenge with the first answer, keeps it while answers are wrong, and
// opens another one when it has ended. A challenge by mail is opened by send
// only: a code belongs to the challenge that it was mailed for.
export function useVerification(purpose: Purpose): Verification {
  const open = useRef<Challenge | null>(null);
  return useMemo(() => ({
    send: async () => {
      open.current = null;
      return (open.current = await openChallenge('email', purpose));
    },
    answer: async (method, code) => {
      const mailed = method === 'email';
      if (open.current?.method !== method) {
        if (mailed) throw sendAnother();
        open.current = await openChallenge(method, purpose);
      }
      try {
        return await verifyChallenge(open.current.id, code);
      } catch (failure) {
        if (!isCode(failure, 'challenge_not_found')) {
          if (isCode(failure, 'mfa_too_many_attempts')) open.current = null;
          throw failure;
        }
        open.current = null;
        if (mailed) throw sendAnother();
        open.current = await openChallenge(method, purpose);
        return verifyChallenge(open.current.id, code);
      }
    },
  }), [purpose]);
}
