// Servers: what is kept of them, who was given them, notes, and how they
// register.
import { client } from './calls';
import type { Access, List, NumberedPage } from './types';

export interface Brief {
  id: string;
  name: string;
  email: string;
}

export interface Named {
  id: string;
  name: string;
}

export interface Server extends Named {
  platform: string;
  is_connected: boolean;
  owner: Brief;
  managers: Brief[];
  groups: string[]; // names of those of one's sight that open it
  added_at: string;
  allowed: string[]; // what one may with it, as resource:action
}

// An Opening is a pattern that was there and opens a server since it has its
// name.
export interface Opening {
  pattern: string;
  by: 'role' | 'group' | 'assignment' | (string & {});
  group?: string;
}

export interface ChangedServer extends Server {
  opened: Opening[];
  opened_users_n: number | null; // null: too many to tell
}

export interface ServerPatch {
  name?: string;
  owner?: { id: string };
  managers?: { id: string }[];
}

// An Assignment gives a person or a group a server, or all that a pattern
// matches; the others are null.
export interface Assignment {
  id: string;
  user: Brief | null;
  group: Named | null;
  server: Named | null;
  pattern: string | null;
  permissions: Access;
  expires_at: string | null; // null: no end
  added_at: string;
}

export interface NewAssignment {
  user?: string;
  username?: string;
  group?: string;
  server?: string;
  pattern?: string;
  permissions: Access;
  expires_at?: string;
}

export interface Note {
  id: string;
  server: Named;
  author: Brief;
  content: string;
  private: boolean;
  pinned: boolean;
  added_at: string;
}

export interface NoteFields {
  content: string;
  private: boolean;
  pinned: boolean;
}

export interface RegistrationToken extends Named {
  allowed_groups: string[];
  enabled: boolean;
  expires_at: string | null;
  added_at: string;
}

export interface MadeRegistrationToken extends RegistrationToken {
  key: string; // shown once
}

export interface GuideRequest {
  platform: string;
  server_name?: string;
}

export interface InstallGuide {
  platform_label: string;
  token_key: string; // what stands for the token's key
  install_commands: string[];
  register_command: string;
}

export interface AnsibleGuide {
  platform_label: string;
  registration_token: string; // what stands for the token's key
  collection_install: string;
  run_command_quick: string;
  inventory_snippet: string;
  playbook_snippet: string;
  run_command_custom: string;
}

export const serverPageSize = 25;

// servers returns a page of those that the caller may see; name narrows it to
// those with this in their names.
export function servers(page: number, name: string) {
  const query = new URLSearchParams({ page: String(page), page_size: String(serverPageSize) });
  if (name) query.set('search', name);
  return client.request<NumberedPage<Server>>('GET', `/api/servers/servers/?${query}`);
}

// serverNamed returns the server with exactly this name, of those that the
// caller may see.
export const serverNamed = async (name: string) =>
  (await client.request<List<Server>>('GET', `/api/servers/servers/?${new URLSearchParams({ name })}`)).results.find((s) => s.name === name);

export const server = (id: string) => client.request<Server>('GET', `/api/servers/servers/${id}/`);
export const patchServer = (id: string, p: ServerPatch) => client.request<ChangedServer>('PATCH', `/api/servers/servers/${id}/`, p, { what: 'change who runs a server' });
export const deleteServer = (id: string) => client.request<void>('DELETE', `/api/servers/servers/${id}/`);

export const assignments = (server: string, page: number) =>
  client.request<NumberedPage<Assignment>>('GET', `/api/servers/assignments/?${new URLSearchParams({ server, page: String(page), page_size: String(serverPageSize) })}`);
export const assign = (a: NewAssignment) => client.request<Assignment>('POST', '/api/servers/assignments/', a, { what: 'give access to servers' });
export const unassign = (id: string) => client.request<void>('DELETE', `/api/servers/assignments/${id}/`);

export const notes = (server: string, page: number) =>
  client.request<NumberedPage<Note>>('GET', `/api/servers/notes/?${new URLSearchParams({ server, page: String(page), page_size: String(serverPageSize) })}`);
export const addNote = (server: string, n: NoteFields) => client.request<Note>('POST', '/api/servers/notes/', { server, ...n });
export const patchNote = (id: string, p: Partial<NoteFields>) => client.request<Note>('PATCH', `/api/servers/notes/${id}/`, p);
export const deleteNote = (id: string) => client.request<void>('DELETE', `/api/servers/notes/${id}/`);

export const registrationTokens = (page: number) =>
  client.request<NumberedPage<RegistrationToken>>('GET', `/api/servers/registration-tokens/?page=${page}&page_size=${serverPageSize}`);
export const makeRegistrationToken = (t: { name: string; allowed_groups: string[]; expires_at?: string }) =>
  client.request<MadeRegistrationToken>('POST', '/api/servers/registration-tokens/', t, { what: 'make a registration token' });
export const deleteRegistrationToken = (id: string) => client.request<void>('DELETE', `/api/servers/registration-tokens/${id}/`);

export const installGuide = (of: GuideRequest) =>
  client.request<InstallGuide>('POST', '/api/servers/registration-methods/token-install/guide/', of);
export const ansibleGuide = (of: GuideRequest) =>
  client.request<AnsibleGuide>('POST', '/api/servers/registration-methods/ansible/guide/', of);
