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
export const choiceFields = ['cli_login', 'password_check_failure', 'sign_count_regression'] as const;

// The settings that are on or off, and those that are some of a list.
export const switchFields = ['mfa_required', 'passkey_as_mfa', 'unusual_sign_in', 'notify_step_up'] as const;
export const listFields = ['allowed_mfa_methods', 'step_up_methods', 'mfa_required_actions'] as const;

export type Switches = Partial<Record<(typeof switchFields)[number], boolean>>;
export type Lists = Partial<Record<(typeof listFields)[number], string[]>>;

// Typed is what a form holds of the settings; what a version does not have is
// not in it.
export interface Typed extends Partial<Record<Timeout | (typeof choiceFields)[number], string>>, Switches, Lists {
  hardware_key_models?: string; // one a line
}

// isPolicy reports whether a change may take the last method from people.
export const isPolicy = (p: SecurityPatch) => p.allowed_mfa_methods !== undefined || p.step_up_methods !== undefined;

const sameSet = (a: string[], b: string[]) => a.length === b.length && a.every((v) => b.includes(v));

// patchOf returns what was changed, or the refusal of a timeout out of bounds.
export function patchOf(now: SecuritySettings, typed: Typed): SecurityPatch | Problem {
  const patch: SecurityPatch = {};
  for (const field of switchFields) {
    const value = typed[field];
    if (value !== undefined && now[field] !== undefined && value !== now[field]) patch[field] = value;
  }
  for (const field of listFields) {
    const [before, value] = [now[field], typed[field]];
    if (before !== undefined && value !== undefined && !sameSet(value, before)) patch[field] = value;
  }
  const models = typed.hardware_key_models?.split(/[\s,]+/).filter((m) => m !== '');
  if (models && now.hardware_key_models && !sameSet(models, now.hardware_key_models)) patch.hardware_key_models = models;
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
