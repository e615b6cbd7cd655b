import { client } from './calls';
import type { NumberedPage, User } from './types';

export const rolePageSize = 25;

// A Permission is one of the catalogue.
export interface Permission {
  permission: string; // resource:action
  resource: string;
  action: string;
  scoped: boolean; // it speaks of objects that a scope can name
  reserved: boolean; // it is in no custom role
}

// A Scope says where a role counts; without any: everywhere.
export interface Scope {
  objects: string[];
  patterns: string[];
}

export interface RoleFields {
  name: string;
  description: string;
  permissions: string[];
  scope: Scope;
}

export interface Role extends RoleFields {
  id: string; // of built-in roles their name
  built_in: boolean;
}

export interface RoleAssignment {
  id: string;
  role: string;
  role_name: string;
  user: { id: string; name: string; email: string } | null;
  group: { id: string; name: string } | null;
  expires_at: string | null; // null: no end
}

export interface NewRoleAssignment {
  role: string;
  user?: string;
  group?: string;
  expires_at?: string;
}

export interface ImpactObject {
  id: string; // '' for what is yet to be made
  name: string;
  permissions: string[];
}

// An ImpactSide is what somebody gains or loses. The numbers are of all objects,
// the lists of some.
export interface ImpactSide {
  everywhere: string[];
  servers: ImpactObject[];
  servers_count: number;
  others: (ImpactObject & { kind: string })[];
  others_count: number;
}

export interface PersonImpact {
  user: { id: string; name: string; email: string };
  gained: ImpactSide;
  lost: ImpactSide;
}

export interface ApplicationImpact {
  application: { id: string; name: string };
  gained: ImpactSide;
  lost: ImpactSide;
}

// An Impact is what a change would mean for people and applications.
export interface Impact {
  people: PersonImpact[];
  count: number; // of all people
  applications: ApplicationImpact[];
  applications_count: number; // of all
  complete: boolean; // false: there may be others
}

// tryChange asks what a change would mean. Nothing is changed.
export const tryChange = (method: string, path: string, body?: unknown) => client.request<Impact>(method, `${path}?dry_run=true`, body);

const rolesPath = '/api/iam/roles/';
const assignmentsPath = '/api/iam/role-assignments/';
const rolePath = (id: string) => `${rolesPath}${id}/`;

export const permissions = () => client.request<Permission[]>('GET', '/api/iam/permissions/');

export const roles = (page: number) =>
  client.request<NumberedPage<Role>>('GET', `${rolesPath}?${new URLSearchParams({ page: String(page), page_size: String(rolePageSize) })}`);
export const role = (id: string) => client.request<Role>('GET', rolePath(id));

export const makeRole = (r: RoleFields) => client.request<Role>('POST', rolesPath, r, { what: 'make a role' });
export const patchRole = (id: string, p: Partial<RoleFields>) => client.request<Role>('PATCH', rolePath(id), p, { what: 'change the role' });
export const tryRole = (id: string, p: Partial<RoleFields>) => tryChange('PATCH', rolePath(id), p);
export const deleteRole = (id: string) => client.request<void>('DELETE', rolePath(id), undefined, { what: 'delete the role' });
export const tryDeleteRole = (id: string) => tryChange('DELETE', rolePath(id));

// holders returns a page of who has a role.
export const holders = (id: string, page: number) =>
  client.request<NumberedPage<RoleAssignment>>('GET', `${assignmentsPath}?${new URLSearchParams({ role: id, page: String(page), page_size: String(rolePageSize) })}`);
export const assignRole = (a: NewRoleAssignment) => client.request<RoleAssignment>('POST', assignmentsPath, a, { what: 'give the role' });
export const tryAssignRole = (a: NewRoleAssignment) => tryChange('POST', assignmentsPath, a);
export const unassignRole = (id: string) => client.request<void>('DELETE', `${assignmentsPath}${id}/`, undefined, { what: 'take the role away' });
export const tryUnassignRole = (id: string) => tryChange('DELETE', `${assignmentsPath}${id}/`);

// named returns the id of the person, or of the group, of exactly this name; ''
// when there is none.
export async function named(kind: 'user' | 'group', name: string): Promise<string> {
  const path = kind === 'user' ? `/api/iam/users/?${new URLSearchParams({ username: name })}` : `/api/iam/groups/?${new URLSearchParams({ name })}`;
  const page = await client.request<NumberedPage<Pick<User, 'id'>>>('GET', path);
  return page.results[0]?.id ?? '';
}
