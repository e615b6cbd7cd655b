import { Problem } from './api/problem';
import type { SecurityPatch, SecuritySettings } from './api/types';
import { absoluteSpan, idleSpan, secondsOf, spanText, verificationSpan, type Span } from './text';

// The lengths of time among the security settings, and how each is typed.
export const spans = {
  mfa_timeout: verificationSpan,
  session_idle_timeout: idleSpan,
  session_absolute_timeout: absoluteSpan,
} satisfies Partial<Record<keyof SecuritySettings, Span>>;

type Timeout = keyof typeof spans;

export const timeouts = Object.keys(spans) as Timeout[];

// The settings that are one of a few words.
export const choiceFields = ['cli_login', 'password_check_failure'] as const;

// Typed is what a form holds of the settings; what a version does not have is
// not in it.
export interface Typed extends Partial<Record<Timeout, string>> {
  mfa_required?: boolean;
  unusual_sign_in?: boolean;
  cli_login?: string;
  password_check_failure?: string;
}

// patchOf returns what was changed, or the refusal of a timeout out of bounds.
export function patchOf(now: SecuritySettings, typed: Typed): SecurityPatch | Problem {
  const patch: SecurityPatch = {};
  for (const field of ['mfa_required', 'unusual_sign_in'] as const) {
    const value = typed[field];
    if (value !== undefined && now[field] !== undefined && value !== now[field]) patch[field] = value;
  }
  for (const field of choiceFields) {
    const value = typed[field];
    if (value && now[field] !== undefined && value !== now[field]) patch[field] = value;
  }
  for (const field of timeouts) {
    const [before, text, span] = [now[field], typed[field], spans[field]];
    if (before === undefined || text === undefined || text === spanText(before, span)) continue;
    const seconds = secondsOf(text, span);
    if (seconds === null) return outOfRange(field, span);
    if (seconds !== before) patch[field] = seconds;
  }
  return patch;
}

function outOfRange(field: Timeout, span: Span): Problem {
  return new Problem(0, 'out_of_range', `The value must be from ${spanText(span.min, span)} to ${spanText(span.max, span)} ${span.unit}.`, field);
}
