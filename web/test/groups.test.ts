import { describe, expect, test } from 'vitest';

import { Problem } from '../src/api/problem';
import type { Group, Membership } from '../src/api/types';
import { accessOf, accessText, chosenOf, groupChanges, groupOf, instantOf, localTime, memberRoleName, noGroup, ofConfig, patternSays, placeChanges, takesAway } from '../src/groups';

test.each([
  ['*', 'every server'],
  ['**', 'every server'],
  ['web-01', 'the server named web-01'],
  ['web-*', 'servers whose name begins with web-'],
  ['*-prod', 'servers whose name ends with -prod'],
  ['web-*-prod', 'servers whose name begins with web- and ends with -prod'],
  ['*db*', 'servers whose name has db in it'],
  ['eu-*db*-prod', 'servers whose name begins with eu- and has db in it and ends with -prod'],
])('%s means %s', (pattern, want) => expect(patternSays(pattern)).toBe(want));

describe('a form of a group', () => {
  const shown = { ...noGroup, name: 'DevOps', description: 'One\nTwo ', server_patterns: ['web-*', '*-prod'] };
  test('describes it', () => {
    const typed = { name: ' DevOps ', display_name: '', description: 'One\r\nTwo', tags: 'a', server_patterns: ' web-*\r\n\r\n*-prod\r\n' };
    expect(groupOf(typed, ['sudo'])).toEqual({
      name: 'DevOps', display_name: '', description: 'One\nTwo', tags: 'a', server_patterns: ['web-*', '*-prod'], permissions: accessOf(['sudo']),
    });
  });
  test('sends only what was changed', () => {
    const typed = { ...shown, description: 'One\nTwo' };
    expect(groupChanges(shown, typed)).toEqual({});
    expect(groupChanges(shown, { ...typed, name: 'Ops', server_patterns: ['*-prod', 'web-*'] })).toEqual({ name: 'Ops', server_patterns: ['*-prod', 'web-*'] });
    expect(groupChanges(shown, { ...typed, permissions: accessOf(['terminal']) })).toEqual({ permissions: accessOf(['terminal']) });
  });
  test('permissions are some of four', () => {
    for (const chosen of [[], ['terminal', 'webftp'], ['deploy_shell', 'sudo']]) expect(chosenOf(accessOf(chosen))).toEqual(chosen);
    expect([accessText(accessOf([])), accessText(noGroup.permissions)]).toEqual(['none', 'Terminal, File transfer']);
  });
});

test('the end of a group says what it takes away', () => {
  const g: Group = { ...noGroup, id: 'x', name: 'g', gid: 2000, num_members: 2, servers: [], added_at: '', allowed: [], server_patterns: ['web-*'] };
  expect(takesAway(g)).toBe('Its 2 members lose what it gives. It gives terminal, file transfer on web-*.');
  expect(takesAway({ ...g, num_members: 1, server_patterns: [] })).toBe('Its one member loses what it gives. It gives no server.');
  expect(takesAway({ ...g, num_members: 0, permissions: accessOf([]) })).toBe('Nobody is in it. It gives no server.');
});

describe('the end of a place', () => {
  const at = '2026-12-31T12:30:45Z';
  const place: Membership = { id: 'x', group: 'y', group_name: 'g', user: { id: 'z', name: 'Mia', email: '' }, role: 'member', expires_at: at, allowed: [] };
  test('reads back to the minute', () => {
    expect(instantOf(localTime(at))).toBe('2026-12-31T12:30:00.000Z');
    expect([localTime(null), instantOf(''), instantOf('soon')]).toEqual(['', '', '']);
  });
  test('stays when it was only looked at', () => {
    expect(placeChanges(place, 'member', localTime(at))).toEqual({});
    expect(placeChanges(place, 'owner', localTime(at))).toEqual({ role: 'owner' });
    expect(placeChanges(place, 'member', '')).toEqual({ expires_at: '' });
    expect(placeChanges({ ...place, expires_at: null }, 'member', localTime(at))).toEqual({ expires_at: '2026-12-31T12:30:00.000Z' });
  });
  test('roles have names', () => expect(['owner', 'manager', 'member', 'new'].map(memberRoleName)).toEqual(['Owner', 'Manager', 'Member', 'new']));
});

describe('the refusal of a configuration', () => {
  const text = 'name: x\npermissions:\n  ftp: true\n';
  const refused = (detail: string, source = 'config', code = 'invalid_config') => new Problem(400, code, detail, source, 'r');
  test('shows the line that it names', () => {
    expect(ofConfig(refused('line 3: permissions.ftp: there is no such key'), text))
      .toMatchObject({ message: 'Line 3 (ftp: true): permissions.ftp: there is no such key', source: 'config', requestID: 'r' });
    expect(ofConfig(refused('line 9: it ends'), text)).toMatchObject({ message: 'Line 9: it ends' });
    expect(ofConfig(refused('name: must be given'), text)).toMatchObject({ message: 'name: must be given' });
  });
  test('of what it says is one of the text', () => {
    expect(ofConfig(refused('A group has this name.', 'name', 'group_name_in_use'), text)).toMatchObject({ source: 'config', code: 'group_name_in_use' });
    const other = refused('You may hand out only what you hold.', '', 'grant_ceiling');
    expect(ofConfig(other, text)).toBe(other);
    expect(ofConfig(null, text)).toBeNull();
  });
});
