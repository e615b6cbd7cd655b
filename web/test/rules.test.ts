import { describe, expect, test } from 'vitest';

import { scriptBytes } from '../build/budget.mjs';
import { Problem, problemOf, sentenceOf } from '../src/api/problem';
import { destination } from '../src/destination';
import { open, takeToken } from '../src/opened';
import { newUser, profileChanges } from '../src/profile';
import { isPolicy, patchOf, weighed } from '../src/settings';
import { absoluteSpan, age, device, nameOf, offered, roleFlags, roleOf, secondsOf, spanText, svgImage, verificationSpan } from '../src/text';

const origin = 'https://demo.paddock.example';

describe('destination', () => {
  test.each([
    ['/audit', '/audit'],
    ['/audit?app=auth&mine=true', '/audit?app=auth&mine=true'],
    ['/settings/security#x', '/settings/security'],
    ['/people?page=2', '/people?page=2'],
    ['/device?code=BCDF-GHJK', '/device?code=BCDF-GHJK'],
    ['/verify', '/verify'],
  ])('%s is a page of the console', (asked, want) => expect(destination(asked, origin)).toBe(want));

  test.each([
    undefined, null, 7, '', '/', 'audit', '//evil.example', '///evil.example', '/\\evil.example', '\\/evil.example', '/\t/evil.example',
    '\t//evil.example', ' //evil.example', '/./\\evil.example', '/.//evil.example', '/a/..//evil.example', 'https://evil.example/',
    'https:/evil.example', 'https:evil.example', 'javascript:alert(1)', 'data:text/html,x', '//demo.paddock.example@evil.example',
    '/api/auth/logout/', '/signin', '/signin?next=/signin', '/invitation',
    '/change-password?next=/audit', '/forgot-password', '/reset-password', '/confirm-email', '/undo-email', '/not-me', '/unlock', '/%0a/evil.example\n',
  ])('%j leads to the first page', (asked) => expect(destination(asked, origin)).toBe('/account/security'));
});

describe('minutes', () => {
  test.each([['15', 900], ['1', 60], ['1440', 86400], ['1.5', 90], ['1,5', 90], [' 15 ', 900], ['1.017', 61]])('%s are %d seconds', (typed, seconds) =>
    expect(secondsOf(typed, verificationSpan)).toBe(seconds));
  test.each(['0', '0.9', '1440.1', '1441', '', 'ten', '1e2', '-5', '15m', '0x10', '1.5.5', '99999999'])('%j is refused', (typed) =>
    expect(secondsOf(typed, verificationSpan)).toBeNull());
  test('what is shown reads back', () => {
    for (let seconds = 60; seconds <= 86400; seconds += 7) expect(secondsOf(spanText(seconds, verificationSpan), verificationSpan)).toBe(seconds);
  });
});

describe('hours', () => {
  test.each([['1', 3600], ['24', 86400], ['720', 2592000], ['1.5', 5400]])('%s are %d seconds', (typed, seconds) =>
    expect(secondsOf(typed, absoluteSpan)).toBe(seconds));
  test.each(['0.9', '720.1', '1000', 'a day'])('%j is refused', (typed) => expect(secondsOf(typed, absoluteSpan)).toBeNull());
});

describe('patch of the security settings', () => {
  const now = { mfa_required: false, mfa_timeout: 900, allowed_mfa_methods: ['otp'], mfa_required_actions: [], passkey_as_mfa: false };
  test.each([
    ['nothing changed', { mfa_required: false, mfa_timeout: '15' }, {}],
    ['only how it is written', { mfa_timeout: '15.0' }, {}],
    ['the switch', { mfa_required: true, mfa_timeout: '15' }, { mfa_required: true }],
    ['the timeout', { mfa_timeout: '1.5' }, { mfa_timeout: 90 }],
    ['both', { mfa_required: true, mfa_timeout: '20' }, { mfa_required: true, mfa_timeout: 1200 }],
    ['what this version does not have', { unusual_sign_in: true, cli_login: 'legacy', session_idle_timeout: '30' }, {}],
  ])('%s', (_, typed, want) => expect(patchOf(now, typed)).toEqual(want));
  const later = { ...now, cli_login: 'browser', session_idle_timeout: 3600, session_absolute_timeout: 86400, unusual_sign_in: true, password_check_failure: 'refuse' };
  test.each([
    ['nothing of the later fields', { cli_login: 'browser', session_idle_timeout: '60', session_absolute_timeout: '24', unusual_sign_in: true }, {}],
    ['all of them', { cli_login: 'legacy', session_idle_timeout: '30', session_absolute_timeout: '48', unusual_sign_in: false, password_check_failure: 'allow' },
      { cli_login: 'legacy', password_check_failure: 'allow', session_idle_timeout: 1800, session_absolute_timeout: 172800, unusual_sign_in: false }],
  ])('%s', (_, typed, want) => expect(patchOf(later, typed)).toEqual(want));
  const policy = { ...now, allowed_mfa_methods: ['hardware_key', 'otp'], step_up_methods: [], hardware_key_models: [], sign_count_regression: 'refuse', notify_step_up: false };
  test.each([
    ['the same lists in another order', { allowed_mfa_methods: ['otp', 'hardware_key'], step_up_methods: [], hardware_key_models: ' \n' }, {}, false],
    ['fewer methods', { allowed_mfa_methods: ['hardware_key'] }, { allowed_mfa_methods: ['hardware_key'] }, true],
    ['methods to step up with', { step_up_methods: ['hardware_key'] }, { step_up_methods: ['hardware_key'] }, true],
    ['what affects nobody', { passkey_as_mfa: true, notify_step_up: true, sign_count_regression: 'report', hardware_key_models: 'a, b\nc', mfa_required_actions: ['websh'] },
      { passkey_as_mfa: true, notify_step_up: true, sign_count_regression: 'report', hardware_key_models: ['a', 'b', 'c'], mfa_required_actions: ['websh'] }, false],
  ])('%s', (_, typed, want, weighed) => {
    const patch = patchOf(policy, typed);
    expect(patch).toEqual(want);
    expect(isPolicy(patch as object)).toBe(weighed);
  });
  test('demanding a second factor is weighed, and ceasing to is not', () => {
    expect([{ mfa_required: true }, { mfa_required: false }, { passkey_as_mfa: true }].map(isPolicy)).toEqual([true, false, false]);
  });
  test('who has no method is named apart from who loses the last', () => {
    const nobody = { affected_count: 0, affected: [], without_method_count: 0, without_method: [], superusers: 1 };
    const said = (patch: object, impact: object) => weighed(patch, { ...nobody, ...impact }).map((w) => [w.says.split(/[.:]/)[0], w.list, w.count, w.people.length]);
    expect(said({ mfa_required: true }, {})).toEqual([['Everybody has an allowed method already', '', 0, 0]]);
    expect(said({ step_up_methods: [] }, {})).toEqual([['Nobody loses their last sign-in method', '', 0, 0]]);
    expect(said({ mfa_required: true }, { without_method_count: 1, without_method: [{ id: 'x', name: 'mia' }] }))
      .toEqual([['1 person has no allowed method', 'People without a method', 1, 1]]);
    expect(said({ mfa_required: true, allowed_mfa_methods: ['otp'] }, { affected_count: 2, affected: [{ id: 'x', name: 'mia' }], without_method_count: 102 }))
      .toEqual([['2 people would have no allowed method left', 'Affected people', 2, 1], ['102 people have no allowed method', 'People without a method', 102, 0]]);
  });
  test('a timeout out of bounds changes nothing', () => {
    const refused = patchOf(now, { mfa_required: true, mfa_timeout: '1441' });
    expect(refused).toBeInstanceOf(Problem);
    expect(refused).toMatchObject({ source: 'mfa_timeout', message: 'The value must be from 1 to 1440 minutes.' });
    expect(patchOf(later, { session_absolute_timeout: '721' })).toMatchObject({
      source: 'session_absolute_timeout', message: 'The value must be from 1 to 720 hours.',
    });
  });
});

describe('people', () => {
  const ada = {
    id: 'x', username: 'ada', first_name: 'Ada', last_name: 'Byron', email: 'ada@demo.example', uid: 1, phone: '', tags: '', shell: '/bin/bash',
    description: 'One\nTwo', is_active: true, is_staff: false, is_superuser: false, date_joined: '', mfa_methods: [], email_verified: true, pending_email: '', notify_step_up: false,
  };
  test('only what was changed of a profile is sent', () => {
    expect(profileChanges(ada, { first_name: 'Ada', last_name: ' King ', description: 'One\r\nTwo', phone: '' })).toEqual({ last_name: 'King' });
    expect(profileChanges({ ...ada, tags: 'a ' }, { tags: 'a ' })).toEqual({});
    expect(profileChanges(ada, { shell: '' })).toEqual({ shell: '' });
  });
  test('a new account says only what was filled in', () => {
    expect(newUser({ email: ' b@demo.example ', username: '', first_name: ' Bo ', password: '', role: 'member' }))
      .toEqual({ email: 'b@demo.example', first_name: 'Bo' });
    expect(newUser({ email: 'b@demo.example', password: ' with spaces ', role: 'staff' }))
      .toEqual({ email: 'b@demo.example', password: ' with spaces ', is_staff: true, is_superuser: false });
  });
  test('a role is two flags', () => {
    for (const role of ['member', 'staff', 'superuser']) expect(roleOf(roleFlags(role))).toBe(role);
    expect(roleOf({ is_staff: false, is_superuser: true })).toBe('superuser');
  });
  test('somebody without a name has another', () => {
    expect(nameOf(ada)).toBe('Ada Byron');
    expect(nameOf({ ...ada, first_name: '', last_name: '' })).toBe('ada');
    expect(nameOf({ ...ada, first_name: '', last_name: '', username: '' })).toBe('ada@demo.example');
  });
});

describe('problems', () => {
  test('fields of another type are left out', async () => {
    const p = await problemOf(new Response('{"detail":7,"code":"x","request_id":null}', { status: 429, headers: { 'Retry-After': '90' } }));
    expect([p.code, p.source, p.requestID, p.retryAfterSeconds]).toEqual(['x', '', '', 90]);
  });
  test('a date in Retry-After is no number of seconds', async () => {
    const p = await problemOf(new Response('{}', { status: 503, headers: { 'Retry-After': 'Wed, 25 Nov 2026 00:00:00 GMT' } }));
    expect(p.retryAfterSeconds).toBe(0);
  });
  test('how long to wait is said in minutes, or in seconds', () => {
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 61))).toBe('Too many. Try again in 2 minutes.');
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 60))).toBe('Too many. Try again in a minute.');
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 59))).toBe('Too many. Try again in 59 seconds.');
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 1))).toBe('Too many. Try again in a second.');
    expect(sentenceOf(new TypeError('x is undefined'))).not.toContain('undefined');
  });
});

test('the secret of a link leaves the address', () => {
  const calls: unknown[][] = [];
  const past = { state: { key: 1 }, replaceState: (...a: unknown[]) => { calls.push(a); } } as unknown as History;
  expect(takeToken({ hash: '#pdki_x', pathname: '/invitation', search: '' } as Location, past)).toBe('pdki_x');
  expect(calls).toEqual([[{ key: 1 }, '', '/invitation']]);
  expect(takeToken({ hash: '', pathname: '/invitation', search: '' } as Location, past)).toBe('');
  expect(calls).toHaveLength(1);
  expect(open({ hash: '#pdkl_y', pathname: '/unlock', search: '' } as Location, past)).toEqual({ page: '/unlock', secret: 'pdkl_y' });
  expect(calls).toHaveLength(2);
  expect(open({ hash: '#content', pathname: '/audit', search: '' } as Location, past)).toEqual({ page: '/audit', secret: '' });
  expect(calls).toHaveLength(2);
});

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36', 'Chrome 150 on Linux'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0', 'Edge 150 on Windows'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15', 'Safari 19 on macOS'],
  ['Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0', 'Firefox 150 on Android'],
  ['alpacon-cli/1.5.1', 'Alpacon CLI 1.5.1'],
  ['', 'Unknown device'],
  ['something else', 'something else'],
])('%s is %s', (agent, want) => expect(device(agent)).toBe(want));

test.each([[0, 'less than a minute ago'], [60, '1 minute ago'], [3599, '59 minutes ago'], [7200, '2 hours ago']])('%d seconds are %s', (s, want) =>
  expect(age(s)).toBe(want));

test('keys are offered first, a recovery code last, and no key where the browser has none', () => {
  const all = ['recovery_code', 'otp', 'pigeon', 'biometric', 'hardware_key'];
  expect(offered(all, true)).toEqual(['hardware_key', 'biometric', 'otp', 'recovery_code']);
  expect(offered(all, false)).toEqual(['otp', 'recovery_code']);
});

test('an SVG with other than Latin letters becomes an image', () => {
  expect(atob(svgImage('<svg>é</svg>').split(',')[1] ?? '')).toBe('<svg>Ã©</svg>');
});

test('only scripts count against the budget', () => {
  expect(scriptBytes([{ name: 'a.js', gzip: 3 }, { name: 'b/c.js', gzip: 4 }, { name: 'd.css', gzip: 9 }])).toBe(7);
});
