import { expect, test } from 'vitest';

import type { Examined, Step, Through } from '../src/api/why';
import { examinedText, makersText, stepText, throughText } from '../src/why';

const id = '0190c0de-0000-7000-8000-000000000000';
const through = (reason: string, of: Partial<Through> = {}): Through => ({ reason, role: '', group: '', pattern: '', ...of });

test.each([
  [through('role staff'), 'the role setting staff'],
  [through(`role ${id}`, { role: 'Deployers' }), 'the role Deployers'],
  [through(`role ${id} by group ${id}`, { role: 'Deployers', group: 'DevOps' }), 'the role Deployers through the group DevOps'],
  [through(`assignment ${id}`), 'an assignment'],
  [through(`assignment ${id} by group ${id}`, { pattern: 'web-*', group: 'DevOps' }), 'an assignment of web-* through the group DevOps'],
  [through(`servers of group ${id}`, { group: 'DevOps' }), 'the servers of the group DevOps'],
  [through(`group manager ${id}`, { group: 'DevOps' }), 'being manager of the group DevOps'],
  [through('owner'), 'owning it'],
  [through('manager'), 'managing it'],
  [through('own account'), 'own account'],
])('%o reads', (t, want) => expect(throughText(t)).toBe(want));

test('what was looked at gives or does not', () => {
  const e: Examined = { ...through('owner'), allows: true, miss: '', expires_at: null };
  expect(examinedText(e)).toBe('gives this');
  expect(['other_permission', 'other_object', 'not_yet', 'ended', 'a_new_one'].map((miss) => examinedText({ ...e, allows: false, miss }))).toEqual([
    'does not give this', 'gives this elsewhere', 'has not begun', 'has ended', 'a new one']);
});

const step: Step = { kind: '', group: '', member_role: '', server: '', permissions: '', role: '', role_setting: '', makers_count: 0, makers: [] };

test.each([
  [{ kind: 'membership', group: 'DevOps', member_role: 'member' }, 'A place in the group DevOps, as member.'],
  [{ kind: 'membership', member_role: 'owner' }, 'A place in a group that you do not see, as owner.'],
  [{ kind: 'server_assignment', server: 'web-1', permissions: 'terminal sudo' }, 'An assignment of the server web-1, with terminal, commands as root (sudo).'],
  [{ kind: 'role_assignment', role: 'Deployers' }, 'The role Deployers.'],
  [{ kind: 'role_assignment' }, 'A role that gives it.'],
  [{ kind: 'role_setting', role_setting: 'staff' }, 'The role setting staff.'],
])('the step %o reads', (of, want) => expect(stepText({ ...step, ...of })).toBe(want));

test('who may make a step', () => {
  const sam = { id, name: 'Sam', email: 'sam@demo.example' };
  expect(makersText(step)).toBe('Nobody was found who may make this change.');
  expect(makersText({ ...step, makers_count: 1, makers: [{ ...sam, email: '' }] })).toBe('Who may make it: Sam.');
  expect(makersText({ ...step, makers_count: 3, makers: [sam] })).toBe('Who may make it: Sam (sam@demo.example), and 2 more.');
});
