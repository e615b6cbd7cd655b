import { describe, expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { Way } from '../src/api/types';
import { codeHint, failedSentence, looksAgain, resendAfter, sendLabel, sentSentence, waitAfter, waiting } from '../src/sent';

const text: Way = { method: 'phone', via: 'sms' };
const call: Way = { method: 'phone', via: 'voice' };
const mail: Way = { method: 'email' };

describe('codes that are sent', () => {
  test('a refusal says for how long', () => {
    expect(waitAfter(new Problem(429, 'mfa_too_many_codes', 'No.', '', '', '', 12))).toBe(12);
    expect(waitAfter(new Problem(429, 'mfa_too_many_codes', 'No.'))).toBe(resendAfter);
    expect(waitAfter(new Problem(429, 'mfa_too_many_attempts', 'No.', '', '', '', 12))).toBe(0);
    expect(waitAfter(null)).toBe(0);
  });

  test('a button tells how long it is of no use', () => {
    expect([0, 1, 119, 120, 121].map((n) => waiting('Call me', n)))
      .toEqual(['Call me', 'Call me (wait 1 s)', 'Call me (wait 119 s)', 'Call me (wait 2 min)', 'Call me (wait 3 min)']);
  });

  test.each([
    ['while it waits', 'queued', null, true],
    ['also when the server could not be reached', 'queued', new Problem(0, 'unreachable', 'No.'), true],
    ['not after its end', 'queued', new Problem(404, 'challenge_not_found', 'No.'), false],
    ['not when it went out', 'sent', null, false],
    ['not when it failed', 'failed', null, false],
  ] as const)('one looks again %s', (_, delivery, failure, want) => expect(looksAgain(delivery, failure)).toBe(want));

  test('words tell mail, text and call apart', () => {
    for (const say of [(w: Way) => sendLabel(w, false), (w: Way) => sendLabel(w, true), (w: Way) => sentSentence(w, '+31***11'), (w: Way) => failedSentence(w, '+31***11'), codeHint]) {
      expect(new Set([mail, text, call].map(say)).size).toBe(3);
    }
    expect(failedSentence(text, '+31***11')).toBe('The text message to +31***11 could not be delivered.');
    expect(sentSentence(mail, 'm***@demo.example')).toBe('A code was mailed to m***@demo.example.');
  });
});
