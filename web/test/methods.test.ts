import { expect, test } from 'vitest';

import type { Factors } from '../src/api/types';
import { lacking, proving, wayName, waysOf } from '../src/stepup/methods';

const held = (sign_in_methods: string[], step_up_methods: string[]): Factors => ({
  results: sign_in_methods.map((method) => ({ id: method, method, name: method, confirmed_at: '', sent_to: '', restricted: false })), sign_in_methods, enrol_methods: [], step_up_methods,
  phone_vias: ['sms'],
});

test.each([
  ['each that is allowed', held(['otp', 'hardware_key', 'recovery_code'], ['hardware_key', 'biometric', 'otp']), ['hardware_key', 'otp']],
  ['only those that open protected actions', held(['otp', 'hardware_key', 'recovery_code'], ['hardware_key']), ['hardware_key']],
  ['never a recovery code', held(['recovery_code'], ['otp']), []],
])('one steps up with %s', (_, factors, want) => expect(proving(factors)).toEqual(want));

test('who has nothing to step up with is told what it takes', () => {
  expect(lacking(held([], ['otp']))).toContain('you have none yet');
  expect(lacking(held(['otp', 'recovery_code'], ['hardware_key', 'biometric']))).toContain('It takes: security key, fingerprint or face.');
  expect(lacking(held(['hardware_key'], ['hardware_key']))).toContain('This browser can use none');
});

test('each phone is offered each way that is set up here', () => {
  const phone = (id: string, sent_to: string) => ({ id, method: 'phone', name: `Phone ${id}`, confirmed_at: '', sent_to, restricted: true });
  const f = { results: [phone('a', '+31***11'), { ...phone('x', ''), method: 'otp' }, phone('b', '+31***22')], phone_vias: ['sms', 'voice'] };
  expect(waysOf(['recovery_code', 'phone', 'email', 'hardware_key'], f, false).map(wayName)).toEqual([
    'Code by e-mail', 'Text message to Phone b, +31***22', 'Call to Phone b, +31***22', 'Text message to Phone a, +31***11', 'Call to Phone a, +31***11',
    'Recovery code',
  ]);
  expect(waysOf(['phone', 'otp'], { ...f, phone_vias: ['voice'] }, true)[1]).toEqual({ method: 'phone', via: 'voice', factor: 'b', to: 'Phone b, +31***22' });
  expect(waysOf(['phone', 'hardware_key'], { ...f, phone_vias: [] }, true)).toEqual([{ method: 'hardware_key' }]);
  expect(lacking({ ...held(['phone'], ['phone']), phone_vias: [] })).toContain('Codes are not sent to phones here any more');
});
