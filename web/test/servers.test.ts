import { expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { ChangedServer, Opening } from '../src/api/servers';
import { keptOr, linesOf, named, openedText, workOf, works } from '../src/servers';

const renamed = (opened: Opening[], n: number | null): ChangedServer => ({
  id: 'x', name: 'db-1', platform: 'debian', is_connected: false, owner: { id: 'o', name: 'Olga', email: '' }, managers: [], groups: [], added_at: '', allowed: [],
  opened, opened_users_n: n,
});

test.each<[Opening[], number | null, string]>([
  [[], 0, ''],
  [[{ pattern: 'db-*', by: 'assignment', group: 'Data' }], 2, 'Patterns that were there open the server since it has this name: db-* (assignment of the group Data). They open it to 2 people.'],
  [[{ pattern: 'db-*', by: 'group', group: 'Data' }, { pattern: '*-1', by: 'role' }], 1,
    'Patterns that were there open the server since it has this name: db-* (the group Data), *-1 (a role). They open it to one person.'],
  [[{ pattern: '*', by: 'assignment' }], 0, 'Patterns that were there open the server since it has this name: * (an assignment). They open it to nobody for now.'],
  [[{ pattern: '*', by: 'role' }], null, 'Patterns that were there open the server since it has this name: * (a role). They open it to more people than can be counted here.'],
])('a new name opens by %o to %o', (opened, n, want) => expect(openedText(renamed(opened, n))).toBe(want));

test('a refusal of the API stands at the field of the form', () => {
  const refused = new Problem(400, 'invalid_value', 'There is no such user.', 'user', 'r', 'd');
  expect(named(refused, { user: 'who' })).toMatchObject({ source: 'who', code: 'invalid_value', requestID: 'r', decisionID: 'd' });
  expect(named(refused, { group: 'who' })).toBe(refused);
  expect(named(null, { user: 'who' })).toBe(null);
});

test('lines are names', () => expect(linesOf(' a \r\n\r\nb\na')).toEqual(['a', 'b']));

test('who is there already is known by address, or by name where there is none', () => {
  const there = [{ id: '1', name: 'Olga', email: 'olga@demo.example' }, { id: '2', name: 'Gone', email: '' }];
  expect(['olga@demo.example', 'Olga', 'Gone'].map((n) => keptOr(n, there))).toEqual(['1', undefined, '2']);
});

test.each<[string, Record<string, string>, object]>([
  ['websh', {}, { action: 'websh' }],
  ['command', { line: ' uptime ', username: ' root ' }, { action: 'command', line: 'uptime', username: 'root' }],
  ['upload', { path: '/srv/a' }, { action: 'webftp', direction: 'upload', path: '/srv/a' }],
  ['download', { path: '/srv/a' }, { action: 'webftp', direction: 'download', path: '/srv/a' }],
  ['folder', { path: '/srv' }, { action: 'webftp', direction: 'download', path: '/srv', recursive: true }],
  ['editor', { path: '/srv/a' }, { action: 'editor', path: '/srv/a' }],
  ['deploy_shell', { username: '' }, { action: 'deploy_shell' }],
])('a form asks for %s', (work, values, want) => expect(workOf('s', { work, ...values })).toEqual({ server: 's', ...want }));

test('each work of the form is asked for in the tests above', () =>
  expect(works.map((w) => w.value)).toEqual(['websh', 'command', 'upload', 'download', 'folder', 'editor', 'deploy_shell']));
