import { Problem } from './api/problem';
import type { PolicyImpact, SecurityPatch, SecuritySettings } from './api/types';
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

// isPolicy reports whether a change may take the last method from people, or
// demand one of people who have none.
export const isPolicy = (p: SecurityPatch) => p.allowed_mfa_methods !== undefined || p.step_up_methods !== undefined || p.mfa_required === true;

// weighed returns the sentences that tell what a change means for people, each
// with those whom it names.
export function weighed(patch: SecurityPatch, impact: PolicyImpact): Weighed[] {
  const out: Weighed[] = [];
  const { affected_count: affected, without_method_count: without } = impact;
  if (affected > 0) {
    out.push({ list: 'Affected people', count: affected, people: impact.affected,
      says: `${counted(affected)} would have no allowed method left. They can sign in with an old one only to set up another:` });
  } else if (patch.allowed_mfa_methods !== undefined || patch.step_up_methods !== undefined) {
    out.push({ says: 'Nobody loses their last sign-in method.', list: '', count: 0, people: [] });
  }
  if (without > 0) {
    out.push({ list: 'People without a method', count: without, people: impact.without_method,
      says: `${counted(without)} ${without === 1 ? 'has' : 'have'} no allowed method. They can do nothing else before they set one up:` });
  } else if (patch.mfa_required === true) {
    out.push({ says: 'Everybody has an allowed method already.', list: '', count: 0, people: [] });
  }
  return out;
}

export interface Weighed {
  says: string;
  list: string; // what the list of people is called; '' for none
  count: number;
  people: PolicyImpact['affected']; // the first of them
}

export const counted = (n: number) => (n === 1 ? '1 person' : `${n} people`);

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
