// How roles and what changes mean for people are shown, and what forms of them
// mean.

import { Problem } from './api/problem';
import type { Impact, ImpactObject, ImpactSide, Permission, Role, RoleFields } from './api/roles';

// byResource groups permissions that custom roles may have, in their order.
export function byResource(all: Permission[]): { resource: string; permissions: Permission[] }[] {
  const out: { resource: string; permissions: Permission[] }[] = [];
  for (const p of all.filter((x) => !x.reserved)) {
    const last = out.at(-1);
    if (last?.resource === p.resource) last.permissions.push(p);
    else out.push({ resource: p.resource, permissions: [p] });
  }
  return out;
}

// words returns a name of the catalogue as people read it.
export const words = (name: string): string => name.replaceAll('_', ' ');

// permitted returns permissions by resource, as one reads them.
export function permitted(all: string[]): { resource: string; actions: string }[] {
  const out = new Map<string, string[]>();
  for (const p of all) {
    const [resource = '', action = ''] = p.split(':');
    out.set(resource, [...(out.get(resource) ?? []), words(action)]);
  }
  return [...out].map(([resource, actions]) => ({ resource: words(resource), actions: actions.join(', ') }));
}

export const noRole: RoleFields = { name: '', description: '', permissions: [], scope: { objects: [], patterns: [] } };

export const everywhere = (r: Pick<RoleFields, 'scope'>): boolean => r.scope.objects.length + r.scope.patterns.length === 0;

const lines = (text: string | undefined): string[] => (text ?? '').split(/\r\n|\r|\n/).map((l) => l.trim()).filter(Boolean);

// roleOf returns the role that a form describes. Who limits a role and names
// nothing is told: it would count everywhere.
export function roleOf(values: Record<string, string>, permissions: string[]): RoleFields {
  const limited = values['where'] === 'named';
  const scope = limited ? { objects: lines(values['objects']), patterns: lines(values['scope']) } : { objects: [], patterns: [] };
  if (limited && scope.objects.length + scope.patterns.length === 0) throw new Problem(0, 'empty', 'Name at least one pattern or object.', 'scope');
  return { name: values['name']?.trim() ?? '', description: values['description']?.replaceAll('\r\n', '\n').trim() ?? '', permissions: [...permissions].sort(), scope };
}

// roleChanges returns what a form changed of a role, so that what others changed
// meanwhile stays.
export function roleChanges(shown: Role, typed: RoleFields): Partial<RoleFields> {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const changes: Partial<RoleFields> = {};
  for (const field of ['name', 'description'] as const) if (typed[field] !== shown[field].trim()) changes[field] = typed[field];
  if (!same(typed.permissions, [...shown.permissions].sort())) changes.permissions = typed.permissions;
  if (!same([typed.scope.objects, typed.scope.patterns], [shown.scope.objects, shown.scope.patterns])) changes.scope = typed.scope;
  return changes;
}

// sideSays tells one side of somebody's change: what, and where.
export function sideSays(s: ImpactSide): string[] {
  const out = s.everywhere.length > 0 ? [`${s.everywhere.join(', ')} everywhere`] : [];
  out.push(...objectsSay(s.servers, s.servers_count, 'server'), ...objectsSay(s.others, s.others_count, 'object'));
  return out;
}

// objectsSay names the objects on which the same is held together.
function objectsSay(listed: (ImpactObject & { kind?: string })[], count: number, kind: string): string[] {
  const byPermissions = new Map<string, string[]>();
  for (const o of listed) {
    const what = o.permissions.join(', ');
    byPermissions.set(what, [...(byPermissions.get(what) ?? []), o.kind ? `${o.kind} ${o.name}` : o.name]);
  }
  const out = [...byPermissions].map(([what, names]) => `${what} on ${names.join(', ')}`);
  const rest = count - listed.length;
  if (rest > 0) out.push(`something on ${listed.length > 0 ? `${rest} more ${kind}${rest === 1 ? '' : 's'}` : `${rest} ${kind}${rest === 1 ? '' : 's'}`}`);
  return out;
}

// impactSays tells how many people and applications a change concerns.
export function impactSays(i: Impact): string {
  const who = [];
  if (i.count > 0) who.push(i.count === 1 ? 'One person' : `${i.count} people`);
  if (i.applications_count > 0) who.push(i.applications_count === 1 ? 'one application' : `${i.applications_count} applications`);
  const text = who.join(' and ').replace(/^o/, 'O');
  const many = i.count + i.applications_count;
  const said = many === 0 ? 'Nobody gains or loses anything' : `${text} ${many === 1 ? 'gains or loses' : 'gain or lose'} something`;
  return i.complete ? `${said}.` : `${said}, of those who were looked at and whom you may see. There may be others.`;
}

// restSays tells of those who are not named, '' when there are none.
export function restSays(i: Impact): string {
  const named = i.people.length + i.applications.length;
  const rest = i.count + i.applications_count - named;
  if (rest === 0) return '';
  return named === 0 ? 'They are not named here.' : `And ${rest} more who ${rest === 1 ? 'is' : 'are'} not named here.`;
}
