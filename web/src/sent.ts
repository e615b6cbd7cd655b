// Codes that are sent: how they go, when another one may be asked for, and when
// to look what became of one.

import { isCode, Problem } from './api/problem';
import type { Delivery, Method, Way } from './api/types';

export const isSent = (method: Method) => method === 'email' || method === 'phone';

// The least between two codes to one person, in seconds. Source: shared/mfa,
// ResendAfter.
export const resendAfter = 30;

// waitAfter returns for how many seconds a refusal says that no further code is
// sent; 0 when that is not what it says.
export function waitAfter(failure: unknown): number {
  return isCode(failure, 'mfa_too_many_codes') ? failure.retryAfterSeconds || resendAfter : 0;
}

// waiting is the label of a button that is of no use for some seconds.
export function waiting(label: string, seconds: number): string {
  if (seconds <= 0) return label;
  return `${label} (wait ${seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`})`;
}

// looksAgain reports whether what became of a code can still change: until it is
// known, and while the server knows the code. It forgets it at its end.
export function looksAgain(delivery: Delivery | undefined, failure: unknown): boolean {
  const ended = failure instanceof Problem && failure.status >= 400 && failure.status < 500;
  return delivery === 'queued' && !ended;
}

// codeEnded is the refusal of a code that another one must follow.
export const codeEnded = () => new Problem(0, 'challenge_not_found', 'This code is not valid any more. Have a new one sent.', 'code');

const call = (way: Way) => way.via === 'voice';

export const callOrText = (way: Way) => (call(way) ? 'Call' : 'Text message');

// sendLabel is what a button says that has a code sent.
export function sendLabel(way: Way, again: boolean): string {
  if (way.method === 'email') return again ? 'Mail me a new code' : 'Mail me a code';
  if (call(way)) return again ? 'Call me again' : 'Call me';
  return again ? 'Text me a new code' : 'Text me a code';
}

// sentSentence says where a code went; to is masked.
export function sentSentence(way: Way, to: string): string {
  if (way.method === 'email') return `A code was mailed to ${to || 'your address'}.`;
  return call(way) ? `You are called at ${to}: a voice reads a code out.` : `A code was sent to ${to} by text message.`;
}

// failedSentence says that a code did not go out.
export function failedSentence(way: Way, to: string): string {
  if (way.method === 'email') return `The mail to ${to || 'your address'} could not be delivered.`;
  return `The ${callOrText(way).toLowerCase()} to ${to} could not be delivered.`;
}

// codeHint says which digits are asked for.
export function codeHint(way: Way): string {
  if (way.method === 'email') return 'The six digits of the mail.';
  if (way.method === 'phone') return call(way) ? 'The six digits that the voice reads out.' : 'The six digits of the text message.';
  return 'The six digits that your authenticator app shows now.';
}
