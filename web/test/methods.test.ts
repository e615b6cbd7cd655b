import { expect, test } from 'vitest';

import type { Factors } from '../src/api/types';
import { lacking, proving } from '../src/stepup/methods';

const held = (sign_in_methods: string[], step_up_methods: string[]): Factors => ({
  results: sign_in_methods.map((method) => ({ id: method, method, name: method, confirmed_at: '' })), sign_in_methods, enrol_methods: [], step_up_methods,
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
