import { client } from './calls';
import type { List, NumberedPage } from './types';

export const applicationPageSize = 25;

interface Person {
  id: string;
  name: string;
  email: string;
}

// An Application is an identity of automation, which acts by its tokens.
export interface Application {
  id: string;
  name: string;
  description: string;
  enabled: boolean;
  owner: Person;
  managers: Person[];
  scopes: string[]; // what it may at most
  added_at: string;
  updated_at: string;
  allowed: string[]; // what one may with it, as resource:action
}

export interface ApplicationFields {
  name: string;
  description: string;
  scopes: string[];
}

export interface ApplicationPatch extends Partial<ApplicationFields> {
  enabled?: boolean;
  owner?: string;
  managers?: string[];
}

// An ApplicationRole is a custom role that an application has.
export interface ApplicationRole {
  id: string;
  role: string;
  role_name: string;
  expires_at: string | null; // null: no end
}

export interface ServiceToken {
  id: string;
  name: string;
  enabled: boolean; // nothing but its end keeps it from being used
  ended: boolean; // with the application, when that was disabled
  scopes: string[];
  expires_at: string | null; // null: no end
  last_used_at: string | null; // null: never
}

// A MadeServiceToken is a new one with its key, which is shown this once.
export interface MadeServiceToken extends ServiceToken {
  key: string;
}

// A ServiceRule lets a token reach something.
export interface ServiceRule {
  id: string;
  kind: 'command' | 'server' | 'file';
  command: string;
  path: string;
  action: string;
  username: string;
  groupname: string;
  server: { id: string; name: string } | null;
}

const all = '/api/iam/applications/';
const of = (id: string) => `${all}${id}/`;
const tokensOf = (id: string) => `${of(id)}tokens/`;

// applications returns a page of those that the caller may see; name narrows it
// to the one with exactly this name.
export function applications(page: number, name: string) {
  const query = new URLSearchParams({ page: String(page), page_size: String(applicationPageSize) });
  if (name) query.set('name', name);
  return client.request<NumberedPage<Application>>('GET', `${all}?${query}`);
}

export const application = (id: string) => client.request<Application>('GET', of(id));
export const makeApplication = (a: ApplicationFields) => client.request<Application>('POST', all, a);
export const patchApplication = (id: string, p: ApplicationPatch) =>
  client.request<Application>('PATCH', of(id), p, { what: 'change an application' });
export const deleteApplication = (id: string) => client.request<void>('DELETE', of(id), undefined, { what: 'delete an application' });

export const applicationRoles = (id: string) => client.request<NumberedPage<ApplicationRole>>('GET', `${of(id)}roles/`);
export const giveApplicationRole = (id: string, role: string, end: string) =>
  client.request<ApplicationRole>('POST', `${of(id)}roles/`, { role, ...(end ? { expires_at: end } : {}) }, { what: 'give an application a role' });
export const takeApplicationRole = (id: string, place: string) =>
  client.request<void>('DELETE', `${of(id)}roles/${place}/`, undefined, { what: 'take a role from an application' });

// roleNamed returns the custom role with exactly this name, undefined for none.
export const roleNamed = async (name: string) =>
  (await client.request<NumberedPage<{ id: string; name: string; built_in: boolean }>>('GET', `/api/iam/roles/?${new URLSearchParams({ name })}`))
    .results.find((r) => !r.built_in);

export const serviceTokens = (id: string) => client.request<NumberedPage<ServiceToken>>('GET', tokensOf(id));
export const makeServiceToken = (id: string, t: { name: string; scopes: string[]; expires_at?: string }) =>
  client.request<MadeServiceToken>('POST', tokensOf(id), t, { what: 'make a token of an application' });
export const switchServiceToken = (id: string, token: string, enabled: boolean) =>
  client.request<ServiceToken>('PATCH', `${tokensOf(id)}${token}/`, { enabled }, { what: 'switch on a token of an application' });
export const deleteServiceToken = (id: string, token: string) => client.request<void>('DELETE', `${tokensOf(id)}${token}/`);

export const serviceRules = (id: string, token: string) => client.request<NumberedPage<ServiceRule>>('GET', `${tokensOf(id)}${token}/rules/`);
export const addServiceRule = (id: string, token: string, kind: string, rule: Record<string, string>) =>
  client.request<List<ServiceRule>>('POST', `${tokensOf(id)}${token}/rules/`, { kind, rules: [rule] }, { what: 'let a token of an application reach more' });
export const removeServiceRule = (id: string, token: string, rule: string) =>
  client.request<void>('DELETE', `${tokensOf(id)}${token}/rules/${rule}/`);
