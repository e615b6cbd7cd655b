// How API tokens are shown, and what forms of them mean.

import type { FileRule, ScopeResource, Token } from './api/tokens';

export const everything = '*';

// levelsOf returns the levels of a resource (product specification, "API
// tokens") that differ on it, each with what it means.
export function levelsOf(r: ScopeResource): { value: string; label: string }[] {
  const acts = r.actions.filter((a) => a !== 'write' && a !== 'owner');
  const [reads, changes, deletes] = [acts.includes('read'), acts.some((a) => a !== 'read' && a !== 'delete'), acts.includes('delete')];
  return [
    ...(reads ? [{ value: 'read', label: 'Read' }] : []),
    ...(changes ? [{ value: 'write', label: reads ? 'Read and write' : 'Use' }] : []),
    ...(deletes ? [{ value: 'owner', label: 'Everything, deleting too' }] : []),
  ];
}

const resources: Record<string, string> = { websh: 'Terminal', webftp: 'File transfer' };

export const resourceName = (name: string): string => resources[name] ?? (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll('_', ' ');

const prefix = 'scope ';

export const scopeField = (resource: string): string => prefix + resource;

// scopesOf returns the scopes that a form chose.
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
