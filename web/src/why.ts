// What explanations of the API say, in words.

import type { Examined, Step, Through } from './api/why';

// throughText tells what gives something.
export function throughText(t: Through): string {
  const by = t.group && t.reason.includes(' by group ') ? ` through the group ${t.group}` : '';
  const [first = '', second = ''] = t.reason.split(' ');
  switch (first) {
    case 'role':
      return t.role ? `the role ${t.role}${by}` : `the role setting ${second}`;
    case 'assignment':
      return `an assignment${t.pattern && ` of ${t.pattern}`}${by}`;
    case 'servers':
      return `the servers of the group ${t.group || 'that is gone'}`;
    case 'group':
      return `being ${second} of the group ${t.group || 'that is gone'}`;
    case 'owner':
      return 'owning it';
    case 'manager':
      return 'managing it';
    default:
      return t.reason;
  }
}

const misses: Record<string, string> = {
  other_permission: 'does not give this', other_object: 'gives this elsewhere', not_yet: 'has not begun', ended: 'has ended',
};

// examinedText tells whether something gives what is asked.
export function examinedText(e: Examined): string {
  return e.allows ? 'gives this' : misses[e.miss] ?? e.miss.replaceAll('_', ' ');
}

const accessNames: Record<string, string> = { terminal: 'terminal', webftp: 'file transfer', deploy_shell: 'deploy shell', sudo: 'commands as root (sudo)' };

// stepText tells a change of what somebody has. What one does not see of it has
// no name.
export function stepText(s: Step): string {
  switch (s.kind) {
    case 'membership':
      return `A place in ${s.group ? `the group ${s.group}` : 'a group that you do not see'}, as ${s.member_role || 'member'}.`;
    case 'server_assignment':
      return `An assignment of ${s.server ? `the server ${s.server}` : 'the server'}, with ${s.permissions.split(' ').map((p) => accessNames[p] ?? p).join(', ')}.`;
    case 'role_assignment':
      return s.role ? `The role ${s.role}.` : 'A role that gives it.';
    case 'role_setting':
      return `The role setting ${s.role_setting}.`;
    default:
      return s.kind.replaceAll('_', ' ');
  }
}

// makersText tells who may make a step, of whom the first are named.
export function makersText(s: Step): string {
  const names = s.makers.map((m) => (m.email ? `${m.name} (${m.email})` : m.name));
  const more = s.makers_count - names.length;
  if (s.makers_count === 0) return 'Nobody was found who may make this change.';
  return `Who may make it: ${names.join(', ')}${more > 0 ? `, and ${more} more` : ''}.`;
}
