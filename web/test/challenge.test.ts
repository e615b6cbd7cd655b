import { describe, expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { Challenge, Proof, VerifyAnswer } from '../src/api/types';
import type { RequestOptions } from '../src/api/webauthn';
import { verification } from '../src/stepup/challenge';

const done: VerifyAnswer = { state: 'signed_in', valid_until: '' };

// verificationOf answers verifications of a test in turn: '' for a right code,
// else the code of the refusal. It writes down what was asked of the API.
function verificationOf(answers: string[]) {
  const asked: string[] = [];
  const open = (method: string): Promise<Challenge> => {
    asked.push(`open ${method}`);
    return Promise.resolve({ id: String(asked.length), method, expires_at: '', ...(method === 'hardware_key' ? { webauthn: { challenge: method } } : {}) });
  };
  const verify = (id: string, proof: Proof) => {
    asked.push(`verify ${id} ${'code' in proof ? proof.code : JSON.stringify(proof.credential)}`);
    const refusal = answers.shift();
    return refusal ? Promise.reject(new Problem(404, refusal, 'No.')) : Promise.resolve(done);
  };
  const ask = (options: RequestOptions) => Promise.resolve({ of: options.challenge });
  return { asked, ...verification('login', open, verify, ask) };
}

const codeOf = (p: Promise<unknown>) => p.then(() => 'no failure', (f: unknown) => (f instanceof Problem ? f.code : String(f)));

describe('verification', () => {
  test('a wrong code keeps the challenge', async () => {
    const v = verificationOf(['mfa_code_invalid', '']);
    expect(await codeOf(v.answer('otp', '1'))).toBe('mfa_code_invalid');
    expect(await v.answer('otp', '2')).toEqual(done);
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'verify 1 2']);
  });

  test('a challenge that has ended is replaced', async () => {
    const v = verificationOf(['challenge_not_found', '']);
    expect(await v.answer('otp', '1')).toEqual(done);
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'open otp', 'verify 3 1']);
  });

  test('another method has a challenge of its own', async () => {
    const v = verificationOf(['mfa_code_invalid', '']);
    await codeOf(v.answer('otp', '1'));
    await v.answer('recovery_code', '2');
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'open recovery_code', 'verify 3 2']);
  });

  test('a mailed code answers the challenge it was mailed for', async () => {
    const v = verificationOf(['mfa_code_invalid', '']);
    await v.send();
    await codeOf(v.answer('email', '1'));
    await v.answer('email', '2');
    expect(v.asked).toEqual(['open email', 'verify 1 1', 'verify 1 2']);
  });

  test('nothing is mailed without being asked for', async () => {
    const v = verificationOf(['challenge_not_found']);
    expect(await codeOf(v.answer('email', '1'))).toBe('challenge_not_found');
    await v.send();
    expect(await codeOf(v.answer('email', '2'))).toBe('challenge_not_found');
    expect(await codeOf(v.answer('email', '3'))).toBe('challenge_not_found');
    expect(v.asked).toEqual(['open email', 'verify 1 2']);
  });

  test('a key is asked anew for each touch', async () => {
    const v = verificationOf(['mfa_credential_invalid', '']);
    expect(await codeOf(v.touch('hardware_key'))).toBe('mfa_credential_invalid');
    expect(await v.touch('hardware_key')).toEqual(done);
    expect(v.asked).toEqual(['open hardware_key', 'verify 1 {"of":"hardware_key"}', 'open hardware_key', 'verify 3 {"of":"hardware_key"}']);
  });

  test('after too many wrong codes the next one is mailed anew', async () => {
    const v = verificationOf(['mfa_too_many_attempts', '']);
    await v.send();
    expect(await codeOf(v.answer('email', '1'))).toBe('mfa_too_many_attempts');
    expect(await codeOf(v.answer('email', '2'))).toBe('challenge_not_found');
    await v.send();
    expect(await v.answer('email', '3')).toEqual(done);
  });
});
