import { openPasskeyChallenge, signInWithPasskey } from './api/calls';
import { isCode } from './api/problem';
import type { SigninAnswer } from './api/types';
import { askKey, stopKeys, suggestKey, suggestsPasskeys } from './api/webauthn';

const calls = { open: openPasskeyChallenge, signIn: signInWithPasskey, ask: askKey, suggest: suggestKey, suggests: suggestsPasskeys, stop: stopKeys };

// passkeySignIn returns the two ways to sign in with a passkey alone: ask does
// it on request; suggest has the browser offer passkeys in the field that has
// the focus, and returns null when none was chosen. ask ends what suggest began,
// and leave ends both.
export function passkeySignIn({ open, signIn, ask, suggest, suggests, stop } = calls) {
  let [asking, suggesting, left] = [false, false, false];
  // chosen returns the answer of the passkey that was chosen, with its
  // challenge. What fails before is nothing that somebody waits for, except that
  // passkeys sign nobody in here.
  const chosen = async () => {
    try {
      if (!(await suggests())) return null;
      const { id, webauthn } = await open();
      return asking || left ? null : { id, answer: await suggest(webauthn) };
    } catch (failure) {
      if (isCode(failure, 'passkey_not_allowed')) throw failure;
      return null;
    }
  };
  return {
    ask: async (): Promise<SigninAnswer> => {
      asking = true;
      try {
        const { id, webauthn } = await open();
        return await signIn(id, await ask(webauthn));
      } finally {
        asking = false;
      }
    },
    suggest: async (): Promise<SigninAnswer | null> => {
      if (asking || suggesting) return null;
      suggesting = true;
      try {
        const got = await chosen();
        return got && (await signIn(got.id, got.answer));
      } finally {
        suggesting = false;
      }
    },
    enter: () => { left = false; },
    leave: () => {
      left = true;
      stop();
    },
  };
}
