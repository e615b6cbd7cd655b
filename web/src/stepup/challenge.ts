import { useState } from 'react';

import { openChallenge, verifyChallenge } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import type { Challenge, Method, Purpose, VerifyAnswer, Way } from '../api/types';
import { askKey } from '../api/webauthn';
import { codeEnded, isSent } from '../sent';
import { keyOf } from './methods';

export interface Verification {
  // send has a code sent; codes of before are worth nothing any more.
  send: (way: Way) => Promise<Challenge>;
  answer: (way: Way, code: string) => Promise<VerifyAnswer>;
  // touch has a security key or the device answer.
  touch: (method: Method) => Promise<VerifyAnswer>;
}

// verification returns what answers a challenge of this purpose. It opens the
// challenge with the first answer, keeps it while answers are wrong, and opens
// another one when it has ended. A challenge whose code is sent is opened by send
// only: a code belongs to the challenge that it was sent for. A key has a new one
// for each touch: its answer is made for it.
export function verification(purpose: Purpose, open = openChallenge, verify = verifyChallenge, ask = askKey): Verification {
  let now: { id: string; of: string } | null = null;
  const begin = async (way: Way) => {
    const challenge = await open(way, purpose);
    now = { id: challenge.id, of: keyOf(way) };
    return challenge;
  };
  const answer = async (way: Way, code: string) => {
    const sent = isSent(way.method);
    if (sent && now?.of !== keyOf(way)) throw codeEnded();
    const id = now?.of === keyOf(way) ? now.id : (await begin(way)).id;
    try {
      return await verify(id, { code });
    } catch (failure) {
      if (!isCode(failure, 'challenge_not_found')) {
        if (isCode(failure, 'mfa_too_many_attempts')) now = null;
        throw failure;
      }
      now = null;
      if (sent) throw codeEnded();
      return verify((await begin(way)).id, { code });
    }
  };
  const touch = async (method: Method) => {
    const { id, webauthn } = await open({ method }, purpose);
    if (!webauthn) throw new Problem(0, 'unreadable_answer', 'The answer of the server could not be read. Try again.');
    return verify(id, { credential: await ask(webauthn) });
  };
  return { send: begin, answer, touch };
}

export function useVerification(purpose: Purpose): Verification {
  const [kept] = useState(() => verification(purpose));
  return kept;
}
