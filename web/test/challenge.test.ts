import { describe, expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { Challenge, Proof, VerifyAnswer, Way } from '../src/api/types';
import type { RequestOptions } from '../src/api/webauthn';
import { verification } from '../src/stepup/challenge';

const done: VerifyAnswer = { state: 'signed_in', valid_until: '' };

// verificationOf answers verifications of a test in turn: '' for a right code,
// else the code of the refusal. It writes down what was asked of the API.
function verificationOf(answers: string[]) {
  const asked: string[] = [];
  const open = ({ method, via = '', factor = '' }: Way): Promise<Challenge> => {
    asked.push(`open ${method} ${via} ${factor}`.trim());
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
    expect(await codeOf(v.answer({ method: 'otp' }, '1'))).toBe('mfa_code_invalid');
    expect(await v.answer({ method: 'otp' }, '2')).toEqual(done);
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'verify 1 2']);
  });

  test('a challenge that has ended is replaced', async () => {
    const v = verificationOf(['challenge_not_found', '']);
    expect(await v.answer({ method: 'otp' }, '1')).toEqual(done);
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'open otp', 'verify 3 1']);
  });

  test('another method has a challenge of its own', async () => {
    const v = verificationOf(['mfa_code_invalid', '']);
    await codeOf(v.answer({ method: 'otp' }, '1'));
    await v.answer({ method: 'recovery_code' }, '2');
    expect(v.asked).toEqual(['open otp', 'verify 1 1', 'open recovery_code', 'verify 3 2']);
  });

  test('a mailed code answers the challenge it was mailed for', async () => {
    const v = verificationOf(['mfa_code_invalid', '']);
    await v.send({ method: 'email' });
    await codeOf(v.answer({ method: 'email' }, '1'));
    await v.answer({ method: 'email' }, '2');
    expect(v.asked).toEqual(['open email', 'verify 1 1', 'verify 1 2']);
  });

  test('nothing is mailed without being asked for', async () => {
    const v = verificationOf(['challenge_not_found']);
    expect(await codeOf(v.answer({ method: 'email' }, '1'))).toBe('challenge_not_found');
    await v.send({ method: 'email' });
    expect(await codeOf(v.answer({ method: 'email' }, '2'))).toBe('challenge_not_found');
    expect(await codeOf(v.answer({ method: 'email' }, '3'))).toBe('challenge_not_found');
    expect(v.asked).toEqual(['open email', 'verify 1 2']);
  });

  test('a code to a phone answers where it went', async () => {
    const v = verificationOf(['']);
    const [text, call]: Way[] = [{ method: 'phone', via: 'sms', factor: 'a' }, { method: 'phone', via: 'voice', factor: 'a' }];
    await v.send(text!);
    expect(await codeOf(v.answer(call!, '1'))).toBe('challenge_not_found');
    expect(await codeOf(v.answer({ method: 'email' }, '1'))).toBe('challenge_not_found');
    expect(await v.answer({ ...text!, to: 'Phone' }, '2')).toEqual(done);
    expect(v.asked).toEqual(['open phone sms a', 'verify 1 2']);
  });

  test('a code counts until another one was sent', async () => {
    const refusals: string[] = ['', 'mfa_too_many_codes'];
    const opened = verification('login', () => {
      const refusal = refusals.shift();
      return refusal ? Promise.reject(new Problem(429, refusal, 'No.')) : Promise.resolve({ id: '1', method: 'email', expires_at: '' });
    }, (id) => (id === '1' ? Promise.resolve(done) : Promise.reject(new Problem(404, 'challenge_not_found', 'No.'))));
    await opened.send({ method: 'email' });
    expect(await codeOf(opened.send({ method: 'email' }))).toBe('mfa_too_many_codes');
    expect(await opened.answer({ method: 'email' }, '1')).toEqual(done);
  });

  test('a key is asked anew for each touch', async () => {
    const v = verificationOf(['mfa_credential_invalid', '']);
    expect(await codeOf(v.touch('hardware_key'))).toBe('mfa_credential_invalid');
    expect(await v.touch('hardware_key')).toEqual(done);
    expect(v.asked).toEqual(['open hardware_key', 'verify 1 {"of":"hardware_key"}', 'open hardware_key', 'verify 3 {"of":"hardware_key"}']);
  });

  test('after too many wrong codes the next one is mailed anew', async () => {
    const v = verificationOf(['mfa_too_many_attempts', '']);
    await v.send({ method: 'email' });
    expect(await codeOf(v.answer({ method: 'email' }, '1'))).toBe('mfa_too_many_attempts');
    expect(await codeOf(v.answer({ method: 'email' }, '2'))).toBe('challenge_not_found');
    await v.send({ method: 'email' });
    expect(await v.answer({ method: 'email' }, '3')).toEqual(done);
  });
});
