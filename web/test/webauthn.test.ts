import { expect, test } from 'vitest';

import { answerOf, askKey, creationOf, problemOfKey, requestOf } from '../src/api/webauthn';

const buffer = (...b: number[]) => new Uint8Array(b).buffer;
const read = (of: BufferSource | undefined) => [...(of as Uint8Array)];

test('options are read where the browser cannot', () => {
  const made = creationOf({
    rp: { name: 'Demo', id: 'localhost' }, user: { id: '-_8', name: 'mia', displayName: 'Mia' }, challenge: 'AQI', pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    excludeCredentials: [{ id: 'AwQF', type: 'public-key' }],
  });
  expect(read(made.challenge)).toEqual([1, 2]);
  expect(read(made.user.id)).toEqual([251, 255]);
  expect(read(made.excludeCredentials?.[0]?.id)).toEqual([3, 4, 5]);
  expect(made.rp.id).toBe('localhost');
  const asked = requestOf({ challenge: 'AQI', userVerification: 'required' });
  expect(read(asked.challenge)).toEqual([1, 2]);
  expect(asked.allowCredentials).toEqual([]);
  expect(asked.userVerification).toBe('required');
});

test('answers are written where the browser cannot', () => {
  const common = { id: '-_8', rawId: buffer(251, 255), type: 'public-key', authenticatorAttachment: 'platform', getClientExtensionResults: () => ({}) };
  const created = { ...common, response: { clientDataJSON: buffer(1), attestationObject: buffer(2), getTransports: () => ['internal'] } };
  expect(answerOf(created as unknown as Credential)).toEqual({
    id: '-_8', rawId: '-_8', type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {},
    response: { clientDataJSON: 'AQ', attestationObject: 'Ag', transports: ['internal'] },
  });
  const proved = { ...common, response: { clientDataJSON: buffer(1), authenticatorData: buffer(2), signature: buffer(3), userHandle: null } };
  expect(answerOf(proved as unknown as Credential)).toEqual({
    id: '-_8', rawId: '-_8', type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {},
    response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw' },
  });
  expect(answerOf({ ...common, toJSON: () => ({ of: 'the browser' }) } as unknown as Credential)).toEqual({ of: 'the browser' });
});

test.each([
  ['NotAllowedError', 'key_cancelled'],
  ['AbortError', 'key_cancelled'],
  ['InvalidStateError', 'key_known'],
  ['SecurityError', 'keys_elsewhere'],
  ['NotSupportedError', 'keys_unsupported'],
])('a %s is told as %s', (name, code) => {
  const p = problemOfKey(new DOMException('secret of the browser', name));
  expect(p.code).toBe(code);
  expect(p.message).not.toContain('secret');
});

test('a browser without keys says so', async () => {
  await expect(askKey({ challenge: 'AQI' })).rejects.toMatchObject({ code: 'keys_unsupported' });
});
