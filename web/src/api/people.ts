import { client } from './calls';
import type { List, LoginSession, NewUser, NumberedPage, OpenInvitation, RoleFlags, User, UserPatch } from './types';

export const peoplePageSize = 25;

// people returns a page of those that the caller may see; name narrows it to
// the one with exactly this username or e-mail address.
export function people(page: number, name: string) {
  const query = new URLSearchParams({ page: String(page), page_size: String(peoplePageSize) });
  if (name) query.set('username', name);
  return client.request<NumberedPage<User>>('GET', `/api/iam/users/?${query}`);
}

export const person = (id: string) => client.request<User>('GET', `/api/iam/users/${id}/`);
export const patchPerson = (id: string, p: UserPatch) => client.request<User>('PATCH', `/api/iam/users/${id}/`, p, { what: 'change the account of somebody' });
export const makePerson = (u: NewUser) =>
  client.request<{ id: string; username: string; email: string }>('POST', '/api/iam/users/', u);
export const deletePerson = (id: string) =>
  client.request<void>('DELETE', `/api/iam/users/${id}/`, undefined, { what: 'delete the account of somebody' });
export const removeMethods = (id: string, reason: string) =>
  client.request<void>('POST', `/api/iam/users/${id}/mfa/reset/`, { reason }, { what: 'remove the sign-in methods of somebody' });

export const invite = (email: string, flags: Partial<RoleFlags>) =>
  client.request<{ id: string; email: string; expires_at: string }>('POST', '/api/workspaces/users/invite/', { email, ...flags });
export const openInvitations = (page: number) =>
  client.request<NumberedPage<OpenInvitation>>('GET', `/api/iam/invitations/?page=${page}&page_size=${peoplePageSize}`);
export const withdrawInvitation = (id: string) => client.request<void>('DELETE', `/api/iam/invitations/${id}/`);

export const personSessions = (id: string) => client.request<List<LoginSession>>('GET', `/api/iam/users/${id}/sessions/`);
export const endPersonSession = (id: string, session: string) =>
  client.request<void>('DELETE', `/api/iam/users/${id}/sessions/${session}/`);
export const endPersonSessions = (id: string) => client.request<void>('POST', `/api/iam/users/${id}/sessions/end-all/`);

// personNamed returns who has exactly this username or e-mail address, of those
// that the caller may see.
export const personNamed = async (name: string) => (await people(1, name)).results[0];
