import { client } from './calls';
import { tryChange } from './roles';
import type { Group, GroupFields, List, Membership, MembershipPatch, NewMembership, NumberedPage } from './types';

export const groupPageSize = 25;

// groups returns a page of those that the caller may see; name narrows it to
// those with this in their names.
export function groups(page: number, name: string) {
  const query = new URLSearchParams({ page: String(page), page_size: String(groupPageSize) });
  if (name) query.set('search', name);
  return client.request<NumberedPage<Group>>('GET', `/api/iam/groups/?${query}`);
}

export const group = (id: string) => client.request<Group>('GET', `/api/iam/groups/${id}/`);
export const makeGroup = (g: GroupFields) => client.request<Group>('POST', '/api/iam/groups/', g);
export const patchGroup = (id: string, p: Partial<GroupFields>) => client.request<Group>('PATCH', `/api/iam/groups/${id}/`, p);
export const tryGroup = (id: string, p: Partial<GroupFields>) => tryChange('PATCH', `/api/iam/groups/${id}/`, p);
export const deleteGroup = (id: string) => client.request<void>('DELETE', `/api/iam/groups/${id}/`);
export const tryDeleteGroup = (id: string) => tryChange('DELETE', `/api/iam/groups/${id}/`);

export const groupConfig = (id: string) => client.request<{ config: string }>('GET', `/api/iam/groups/${id}/config/`);
export const applyConfig = (id: string, config: string) => client.request<Group>('PUT', `/api/iam/groups/${id}/config/`, { config });
export const tryConfig = (id: string, config: string) => tryChange('PUT', `/api/iam/groups/${id}/config/`, { config });
export const importGroup = (config: string) => client.request<Group>('POST', '/api/iam/groups/import/', { config });

// memberships returns a page of the places of a group, or of a person.
export const memberships = (of: { group: string } | { user: string }, page: number) =>
  client.request<NumberedPage<Membership>>('GET', `/api/iam/memberships/?${new URLSearchParams({ ...of, page: String(page), page_size: String(groupPageSize) })}`);
export const addMember = (m: NewMembership) => client.request<Membership>('POST', '/api/iam/memberships/', m);
export const patchMember = (id: string, p: MembershipPatch) => client.request<Membership>('PATCH', `/api/iam/memberships/${id}/`, p);
export const tryRemoveMember = (id: string) => tryChange('DELETE', `/api/iam/memberships/${id}/`);
export const removeMember = (id: string) => client.request<void>('DELETE', `/api/iam/memberships/${id}/`);

// groupNamed returns the group with exactly this name, of those that the caller
// may see.
export const groupNamed = async (name: string) =>
  (await client.request<List<Group>>('GET', `/api/iam/groups/?${new URLSearchParams({ name })}`)).results.find((g) => g.name === name);
