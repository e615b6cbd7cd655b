import { useState } from 'react';

import { openChallenge, verifyChallenge } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import type { Challenge, Method, Purpose, VerifyAnswer } from '../api/types';
import { askKey } from '../api/webauthn';

export interface Verification {
  // send has a code mailed; codes of before are worth nothing any more.
  send: () => Promise<Challenge>;
  answer: (method: Method, code: string) => Promise<VerifyAnswer>;
  // touch has a security key or the device answer.
  touch: (method: Method) => Promise<VerifyAnswer>;
}

const sendAnother = () => new Problem(0, 'challenge_not_found', 'This code is not valid any more. Have a new one mailed.', 'code');

// verification returns what answers a challenge of this purpose. It opens the
// challenge with the first answer, keeps it while answers are wrong, and opens
// another one when it has ended. A challenge by mail is opened by send only: a
// code belongs to the challenge that it was mailed for. A key has a new one for
// each touch: its answer is made for it.
export function verification(purpose: Purpose, open = openChallenge, verify = verifyChallenge, ask = askKey): Verification {
  let now: Challenge | null = null;
  const send = async () => {
    now = null;
    return (now = await open('email', purpose));
  };
  const answer = async (method: Method, code: string) => {
    const mailed = method === 'email';
    if (now?.method !== method) {
      if (mailed) throw sendAnother();
      now = await open(method, purpose);
    }
    try {
      return await verify(now.id, { code });
    } catch (failure) {
      if (!isCode(failure, 'challenge_not_found')) {
        if (isCode(failure, 'mfa_too_many_attempts')) now = null;
        throw failure;
      }
      now = null;
      if (mailed) throw sendAnother();
      now = await open(method, purpose);
      return verify(now.id, { code });
    }
  };
  const touch = async (method: Method) => {
    const { id, webauthn } = await open(method, purpose);
    if (!webauthn) throw new Problem(0, 'unreadable_answer', 'The answer of the server could not be read. Try again.');
    return verify(id, { credential: await ask(webauthn) });
  };
  return { send, answer, touch };
}

export function useVerification(purpose: Purpose): Verification {
  const [kept] = useState(() => verification(purpose));
  return kept;
}
