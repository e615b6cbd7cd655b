import { expect, test } from 'vitest';

import type { Token } from '../src/api/tokens';
import { asText, exportOf, fileRuleText, levelsOf, resourceName, scopeField, scopesOf, scopesText, stateOf } from '../src/tokens';

test('a form chooses scopes by resource, and none where nothing is chosen', () => {
  expect(scopesOf({ name: 'x', [scopeField('server')]: 'read', [scopeField('audit')]: '', [scopeField('role_assignment')]: 'owner' })).toEqual(['server:read', 'role_assignment:owner']);
  expect(scopesOf({ name: 'x', [scopeField('server')]: '' })).toEqual([]);
  const levels = (...actions: string[]) => levelsOf({ name: 'x', actions: [...actions, 'write', 'owner'], acl: [] }).map((l) => `${l.value}: ${l.label}`);
  expect(levels('read', 'create', 'delete')).toEqual(['read: Read', 'write: Read and write', 'owner: Everything, deleting too']);
  expect(levels('access')).toEqual(['write: Use']);
  expect(levels('read')).toEqual(['read: Read']);
  expect(['webftp', 'server', 'role_assignment'].map(resourceName)).toEqual(['File transfer', 'Server', 'Role assignment']);
  expect([scopesText(['*']), scopesText(['server:read', 'note:write'])]).toEqual(['full access', 'server:read, note:write']);
});

test('a token tells why it opens nothing', () => {
  const t: Token = { id: 'x', name: 'x', enabled: true, expires_at: null, scopes: [], created_at: '', last_used_at: null, blocked: false, ended: false };
  const at = Date.parse('2030-01-01T00:00:00Z');
  expect(stateOf(t, at)).toBe('');
  expect(stateOf({ ...t, expires_at: '2030-01-01T00:00:00Z' }, at - 1)).toBe('');
  expect(stateOf({ ...t, expires_at: '2030-01-01T00:00:00Z' }, at)).toBe('past its end');
  expect(stateOf({ ...t, enabled: false }, at)).toBe('disabled');
  expect(stateOf({ ...t, enabled: false, blocked: true }, at)).toBe('disabled by an administrator');
  expect(stateOf({ ...t, enabled: false, blocked: true, ended: true }, at)).toBe('ended with the sessions');
});

test('rules read', () => {
  const as = { username: '', groupname: '' };
  expect(fileRuleText({ id: '', token: '', path: '/var/log/*', action: 'download', ...as })).toBe('fetch from /var/log/*');
  expect([asText(as), asText({ username: 'deploy', groupname: 'www' })]).toEqual(['', 'as deploy, as group www']);
});

test('the line for a shell', () => expect(exportOf('alpat-x')).toBe('export ALPACON_TOKEN="alpat-x"'));
