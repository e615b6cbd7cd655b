// How groups are shown, and what forms of them mean.

import { Problem } from './api/problem';
import type { Access, Group, GroupFields, Membership, MembershipPatch } from './api/types';

// The permissions of a group, in the order of its configuration.
export const accesses: { value: keyof Access; label: string }[] = [
  { value: 'terminal', label: 'Terminal' },
  { value: 'webftp', label: 'File transfer' },
  { value: 'deploy_shell', label: 'Deploy shell' },
  { value: 'sudo', label: 'Commands as root (sudo)' },
];

export const accessOf = (chosen: string[]): Access => ({
  terminal: chosen.includes('terminal'), webftp: chosen.includes('webftp'), deploy_shell: chosen.includes('deploy_shell'), sudo: chosen.includes('sudo'),
});

export const chosenOf = (a: Access): string[] => accesses.filter((x) => a[x.value]).map((x) => x.value);

export const accessText = (a: Access): string => accesses.filter((x) => a[x.value]).map((x) => x.label).join(', ') || 'none';

export const memberRoles = [
  { value: 'member', label: 'Member' },
  { value: 'manager', label: 'Manager: puts people in and takes them out' },
  { value: 'owner', label: 'Owner: runs the group' },
];

export const memberRoleName = (role: string): string => memberRoles.find((r) => r.value === role)?.label.split(':')[0] ?? role;

// patternSays tells which servers a pattern of names means.
export function patternSays(pattern: string): string {
  const [first = '', ...rest] = pattern.split(/\*+/);
  const last = rest.at(-1);
  if (last === undefined) return `the server named ${first}`;
  const between = rest.slice(0, -1);
  const says = [first && `begins with ${first}`, ...between.map((b) => `has ${b} in it`), last && `ends with ${last}`].filter(Boolean);
  return says.length === 0 ? 'every server' : `servers whose name ${says.join(' and ')}`;
}

// takesAway tells what goes with a group.
export function takesAway(g: Group): string {
  const who = g.num_members === 0 ? 'Nobody is in it.' : `${g.num_members === 1 ? 'Its one member loses' : `Its ${g.num_members} members lose`} what it gives.`;
  const where = [...g.servers.map((s) => s.name), ...g.server_patterns].join(', ');
  const opens = chosenOf(g.permissions).length > 0 && where !== '';
  return `${who} ${opens ? `It gives ${accessText(g.permissions).toLowerCase()} on ${where}.` : 'It gives no server.'}`;
}

export const noGroup: GroupFields = {
  name: '', display_name: '', description: '', tags: '', server_patterns: [],
  permissions: { terminal: true, webftp: true, deploy_shell: false, sudo: false }, // as the API has it where nothing is said
};

// groupOf returns the group that a form describes. Spaces at the ends are slips
// of who typed.
export function groupOf(values: Record<string, string>, chosen: string[]): GroupFields {
  const text = (field: string) => values[field]?.replaceAll('\r\n', '\n').trim() ?? '';
  return {
    name: text('name'), display_name: text('display_name'), description: text('description'), tags: text('tags'),
    server_patterns: text('server_patterns').split('\n').map((p) => p.trim()).filter(Boolean), permissions: accessOf(chosen),
  };
}

// groupChanges returns what a form changed of a group, so that what others
// changed meanwhile stays.
export function groupChanges(shown: GroupFields, typed: GroupFields): Partial<GroupFields> {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const changes: Partial<GroupFields> = {};
  for (const field of ['name', 'display_name', 'description', 'tags'] as const) if (typed[field] !== shown[field].trim()) changes[field] = typed[field];
  if (!same(typed.server_patterns, shown.server_patterns)) changes.server_patterns = typed.server_patterns;
  if (!same(chosenOf(typed.permissions), chosenOf(shown.permissions))) changes.permissions = typed.permissions;
  return changes;
}

// localTime returns an instant as a field for date and time takes it, in the
// time of this device; '' for none.
export function localTime(instant: string | null): string {
  if (!instant) return '';
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

// instantOf returns what such a field holds as an instant; '' for none.
export function instantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}

// placeChanges returns what a form changed of a place. An end that was only
// looked at keeps its seconds.
export function placeChanges(now: Membership, role: string, end: string): MembershipPatch {
  return { ...(role !== now.role ? { role } : {}), ...(end !== localTime(now.expires_at) ? { expires_at: instantOf(end) } : {}) };
}

// ofConfig returns the refusal of a configuration as one of its text, with the
// line that it names; any other failure as it is.
export function ofConfig(failure: unknown, text: string): unknown {
  if (!(failure instanceof Problem) || !['config', 'name', 'description', 'server_patterns'].includes(failure.source)) return failure;
  const [, number, rest] = /^line (\d+): (.*)$/s.exec(failure.message) ?? [];
  const line = number && text.split(/\r\n|\r|\n/)[Number(number) - 1]?.trim().slice(0, 100);
  const message = number && rest ? `Line ${number}${line ? ` (${line})` : ''}: ${rest}` : failure.message;
  return new Problem(failure.status, failure.code, message, 'config', failure.requestID, failure.decisionID);
}
