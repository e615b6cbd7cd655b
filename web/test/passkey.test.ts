import { describe, expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { KeyAnswer, RequestOptions } from '../src/api/webauthn';
import { passkeySignIn } from '../src/passkey';

const turn = () => new Promise((done) => setTimeout(done));

// page returns a sign-in page's passkeys, what was done to the browser and the
// API, and what decides what a suggestion ends with.
function page(refusals: { open?: string; signIn?: string } = {}) {
  const did: string[] = [];
  let opened = 0;
  let choose = (_: KeyAnswer) => {};
  let stop = () => {};
  const suggest = (options: RequestOptions) => new Promise<KeyAnswer>((chosen, failed) => {
    did.push(`suggest ${options.challenge}`);
    choose = chosen;
    stop = () => failed(new Problem(0, 'key_cancelled', 'No.'));
  });
  const passkeys = passkeySignIn({
    open: () => (refusals.open ? Promise.reject(new Problem(403, refusals.open, 'No.'))
      : Promise.resolve({ id: String(++opened), expires_at: '', webauthn: { challenge: String(opened) } })),
    signIn: (id) => {
      did.push(`sign in ${id}`);
      return refusals.signIn ? Promise.reject(new Problem(401, refusals.signIn, 'No.')) : Promise.resolve({ state: 'signed_in' as const, methods: [] });
    },
    ask: (options) => {
      did.push(`ask ${options.challenge}`);
      stop();
      return Promise.resolve({});
    },
    suggest, suggests: () => Promise.resolve(true),
    stop: () => { stop(); return new AbortController().signal; },
  });
  return { ...passkeys, did, choose: () => choose({}) };
}

describe('passkeys', () => {
  test('one that is chosen in the field signs in', async () => {
    const p = page();
    const answer = p.suggest();
    await turn();
    p.choose();
    expect((await answer)?.state).toBe('signed_in');
    expect(p.did).toEqual(['suggest 1', 'sign in 1']);
  });

  test('are offered once at a time, and anew after an end', async () => {
    const p = page();
    const first = p.suggest();
    await turn();
    expect(await p.suggest()).toBeNull();
    await p.ask();
    expect(await first).toBeNull();
    void p.suggest();
    await turn();
    expect(p.did).toEqual(['suggest 1', 'ask 2', 'sign in 2', 'suggest 3']);
  });

  test('who asks at once is not interrupted by an offer', async () => {
    const p = page();
    const offer = p.suggest();
    await p.ask();
    expect(await offer).toBeNull();
    expect(p.did).toEqual(['ask 1', 'sign in 1']);
  });

  test('who left the page is offered nothing', async () => {
    const p = page();
    const offer = p.suggest();
    p.leave();
    expect(await offer).toBeNull();
    expect(p.did).toEqual([]);
  });

  test('a refusal is told only of what was chosen, or where none sign in', async () => {
    expect(await page({ open: 'too_many_attempts' }).suggest()).toBeNull();
    await expect(page({ open: 'passkey_not_allowed' }).suggest()).rejects.toMatchObject({ code: 'passkey_not_allowed' });
    const p = page({ signIn: 'invalid_credentials' });
    const answer = p.suggest();
    await turn();
    p.choose();
    await expect(answer).rejects.toMatchObject({ code: 'invalid_credentials' });
  });
});
