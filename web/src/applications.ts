// How applications are shown, and what forms of them mean.

import type { Application, ApplicationFields, ServiceRule, ServiceToken } from './api/applications';
import { instant } from './text';

export const noApplication: ApplicationFields = { name: '', description: '', scopes: [] };

// scopesOf returns the scopes that somebody typed: one a line, or with commas or
// blanks between.
export const scopesOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export function applicationOf(values: Record<string, string>): ApplicationFields {
  const text = (field: string) => values[field]?.replaceAll('\r\n', '\n').trim() ?? '';
  return { name: text('name'), description: text('description'), scopes: scopesOf(text('scopes')) };
}

// applicationChanges returns what a form changed of an application, so that what
// others changed meanwhile stays.
export function applicationChanges(shown: ApplicationFields, typed: ApplicationFields): Partial<ApplicationFields> {
  const changes: Partial<ApplicationFields> = {};
  if (typed.name !== shown.name) changes.name = typed.name;
  if (typed.description !== shown.description.trim()) changes.description = typed.description;
  if ([...typed.scopes].sort().join(' ') !== [...shown.scopes].sort().join(' ')) changes.scopes = typed.scopes;
  return changes;
}

export const scopesText = (scopes: string[]): string => (scopes.includes('*') ? 'everything that applications may' : scopes.join(', '));

// tokenSays tells what a token is good for, and how it fares.
export function tokenSays(t: ServiceToken, a: Application): string {
  const ended = t.expires_at !== null && Date.parse(t.expires_at) <= Date.now();
  const state = t.ended ? 'ended when the application was disabled' : ended ? 'ended' : !t.enabled && a.enabled ? 'disabled' : '';
  return [
    state,
    t.scopes.includes('*') ? 'the scopes of the application' : t.scopes.join(', '),
    t.expires_at && !ended ? `until ${instant(t.expires_at)}` : '',
    t.last_used_at ? `last used ${instant(t.last_used_at)}` : 'never used',
  ].filter(Boolean).join('; ');
}

// ruleSays tells what a rule lets a token reach.
export function ruleSays(r: ServiceRule): string {
  const as = r.username || r.groupname ? ` as ${[r.username, r.groupname].filter(Boolean).join(':')}` : '';
  switch (r.kind) {
    case 'server': return `Server ${r.server?.name || r.server?.id || ''}`;
    case 'command': return `Command ${r.command}${as}`;
    case 'file': return `File ${r.path}, ${r.action === '*' ? 'both ways' : r.action}${as}`;
  }
}
