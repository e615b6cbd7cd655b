// How API tokens are shown, and what forms of them mean.

import type { FileRule, ScopeResource, Token } from './api/tokens';

export const everything = '*';

// The levels that a token may have of a resource. Source: product
// specification, "API tokens".
export const levels = ['read', 'write', 'owner'] as const;

// levelsOf returns those that a resource has.
export const levelsOf = (r: ScopeResource): string[] => levels.filter((l) => r.actions.includes(l));

// levelNames says what a level means.
export const levelNames: Record<string, string> = { read: 'Read', write: 'Read and write', owner: 'Everything, deleting too' };

export const resourceName = (name: string): string => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll('_', ' ');

const prefix = 'scope ';

export const scopeField = (resource: string): string => prefix + resource;

// scopesOf returns the scopes that a form chose. write holds what read does, of
// the resources where it is told apart.
export function scopesOf(values: Record<string, string>): string[] {
  return Object.entries(values).filter(([name, level]) => name.startsWith(prefix) && level !== '').map(([name, level]) => `${name.slice(prefix.length)}:${level}`);
}

// scopesText tells what a token may.
export const scopesText = (scopes: string[]): string => (scopes.includes(everything) ? 'full access' : scopes.join(', '));

// stateOf tells why a token opens nothing; '' while it does. now is in
// milliseconds.
export function stateOf(t: Token, now: number): string {
  if (t.ended) return 'ended with the sessions';
  if (t.expires_at && new Date(t.expires_at).getTime() <= now) return 'past its end';
  if (t.blocked) return 'disabled by an administrator';
  return t.enabled ? '' : 'disabled';
}

const actions: Record<string, string> = { upload: 'send to', download: 'fetch from', '*': 'send to and fetch from' };

export const fileRuleText = (r: FileRule): string => `${actions[r.action] ?? r.action} ${r.path}`;

// asText tells as which account a rule acts; '' for the owner's own.
export const asText = (r: { username: string; groupname: string }): string =>
  [r.username && `as ${r.username}`, r.groupname && `as group ${r.groupname}`].filter(Boolean).join(', ');

// exportOf is the line by which a shell hands a token to the command line.
// Source: product specification, "Creating an API token".
export const exportOf = (key: string): string => `export ALPACON_TOKEN="${key}"`;
