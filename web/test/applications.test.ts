import { expect, test } from 'vitest';

import type { Application, ServiceToken } from '../src/api/applications';
import { applicationChanges, applicationOf, ruleSays, scopesOf, scopesText, tokenSays } from '../src/applications';

const shown = { name: 'ci', description: 'Ships it.', scopes: ['server:read', 'user:read'] };

test('scopes are read as they are typed', () => {
  expect(scopesOf(' user:read\r\nserver:read, group:read  *\n')).toEqual(['user:read', 'server:read', 'group:read', '*']);
  expect(scopesOf(' \n')).toEqual([]);
  expect(scopesText(['a:read', '*'])).toBe('everything that applications may');
});

test('a form changes what was changed in it', () => {
  expect(applicationChanges(shown, applicationOf({ name: ' ci ', description: 'Ships it.', scopes: 'user:read\nserver:read' }))).toEqual({});
  expect(applicationChanges(shown, applicationOf({ name: 'cd', description: '', scopes: '*' }))).toEqual({ name: 'cd', description: '', scopes: ['*'] });
});

test('a token says how it fares', () => {
  const app = { enabled: true } as Application;
  const token: ServiceToken = { id: '1', name: 't', enabled: true, ended: false, scopes: ['*'], expires_at: null, last_used_at: null };
  expect(tokenSays(token, app)).toBe('the scopes of the application; never used');
  expect(tokenSays({ ...token, enabled: false }, app)).toMatch(/^disabled; /);
  expect(tokenSays({ ...token, enabled: false, ended: true }, app)).toMatch(/^ended when the application was disabled; /);
  expect(tokenSays({ ...token, scopes: ['user:read'], expires_at: '2020-01-01T00:00:00Z' }, app)).toBe('ended; user:read; never used');
  expect(tokenSays({ ...token, expires_at: '2999-01-01T00:00:00Z' }, app)).toMatch(/; until /);
});

test('a rule says what it lets reach', () => {
  const rule = { id: '1', command: '', path: '', action: '', username: '', groupname: '', server: null };
  expect(ruleSays({ ...rule, kind: 'server', server: { id: 'x', name: '' } })).toBe('Server x');
  expect(ruleSays({ ...rule, kind: 'command', command: 'uptime', username: 'deploy', groupname: 'www' })).toBe('Command uptime as deploy:www');
  expect(ruleSays({ ...rule, kind: 'file', path: '/var/**', action: '*' })).toBe('File /var/**, both ways');
});
