import { describe, expect, test } from 'vitest';

import { scriptBytes } from '../build/budget.mjs';
import { Problem, problemOf, sentenceOf } from '../src/api/problem';
import { destination } from '../src/destination';
import { takeToken } from '../src/pages/invitation';
import { patchOf } from '../src/pages/workspace-security';
import { age, device, minutesText, secondsOf, svgImage } from '../src/text';

const origin = 'https://demo.paddock.example';

describe('destination', () => {
  test.each([
    ['/audit', '/audit'],
    ['/audit?app=auth&mine=true', '/audit?app=auth&mine=true'],
    ['/settings/security#x', '/settings/security'],
  ])('%s is a page of the console', (asked, want) => expect(destination(asked, origin)).toBe(want));

  test.each([
    undefined, null, 7, '', '/', 'audit', '//evil.example', '///evil.example', '/\\evil.example', '\\/evil.example', '/\t/evil.example',
    '\t//evil.example', ' //evil.example', '/./\\evil.example', '/.//evil.example', '/a/..//evil.example', 'https://evil.example/',
    'https:/evil.example', 'https:evil.example', 'javascript:alert(1)', 'data:text/html,x', '//demo.paddock.example@evil.example',
    '/api/auth/logout/', '/signin', '/signin?next=/signin', '/invitation', '/%0a/evil.example\n',
  ])('%j leads to the first page', (asked) => expect(destination(asked, origin)).toBe('/account/security'));
});

describe('minutes', () => {
  test.each([['15', 900], ['1', 60], ['1440', 86400], ['1.5', 90], ['1,5', 90], [' 15 ', 900], ['1.017', 61]])('%s are %d seconds', (typed, seconds) =>
    expect(secondsOf(typed)).toBe(seconds));
  test.each(['0', '0.9', '1440.1', '1441', '', 'ten', '1e2', '-5', '15m', '0x10', '1.5.5', '99999999'])('%j is refused', (typed) =>
    expect(secondsOf(typed)).toBeNull());
  test('what is shown reads back', () => {
    for (let seconds = 60; seconds <= 86400; seconds += 7) expect(secondsOf(minutesText(seconds))).toBe(seconds);
  });
});

describe('patch of the security settings', () => {
  const now = { mfa_required: false, mfa_timeout: 900, allowed_mfa_methods: ['otp'], mfa_required_actions: [], passkey_as_mfa: false };
  test.each([
    ['nothing changed', false, '15', {}],
    ['only how it is written', false, '15.0', {}],
    ['the switch', true, '15', { mfa_required: true }],
    ['the timeout', false, '1.5', { mfa_timeout: 90 }],
    ['both', true, '20', { mfa_required: true, mfa_timeout: 1200 }],
  ])('%s', (_, required, minutes, want) => expect(patchOf(now, required, minutes)).toEqual(want));
  test('a timeout out of bounds changes nothing', () => {
    expect(patchOf(now, true, '1441')).toMatchObject({ source: 'mfa_timeout' });
    expect(patchOf(now, true, '1441')).toBeInstanceOf(Problem);
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
  test('how long to wait is said in minutes', () => {
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 61))).toBe('Too many. Try again in 2 minutes.');
    expect(sentenceOf(new Problem(429, 'x', 'Too many.', '', '', '', 1))).toBe('Too many. Try again in a minute.');
    expect(sentenceOf(new TypeError('x is undefined'))).not.toContain('undefined');
  });
});

test('the secret of an invitation leaves the address', () => {
  const calls: unknown[][] = [];
  const past = { state: { key: 1 }, replaceState: (...a: unknown[]) => { calls.push(a); } } as unknown as History;
  expect(takeToken({ hash: '#pdki_x', pathname: '/invitation' } as Location, past)).toBe('pdki_x');
  expect(calls).toEqual([[{ key: 1 }, '', '/invitation']]);
  expect(takeToken({ hash: '', pathname: '/invitation' } as Location, past)).toBe('');
  expect(calls).toHaveLength(1);
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

test('an SVG with other than Latin letters becomes an image', () => {
  expect(atob(svgImage('<svg>é</svg>').split(',')[1] ?? '')).toBe('<svg>Ã©</svg>');
});

test('only scripts count against the budget', () => {
  expect(scriptBytes([{ name: 'a.js', gzip: 3 }, { name: 'b/c.js', gzip: 4 }, { name: 'd.css', gzip: 9 }])).toBe(7);
});
