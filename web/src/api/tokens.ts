// API tokens: one's own, those of somebody else, and the rules of one's own.
import { client } from './calls';
import type { Named } from './servers';
import type { NumberedPage } from './types';

export interface Token extends Named {
  enabled: boolean;
  expires_at: string | null; // null: no end
  scopes: string[];
  created_at: string;
  last_used_at: string | null; // to the minute; null: never
  blocked: boolean; // by an administrator
  ended: boolean; // with the sessions of its owner
}

export interface MadeToken extends Token {
  key: string; // shown once
}

export interface NewToken {
  name: string;
  expires_at?: string;
  scopes: string[];
}

export interface ScopeResource {
  name: string;
  actions: string[];
  acl: string[]; // kinds of rules that are asked besides
}

interface Rule {
  id: string;
  token: string;
}

export interface ServerRule extends Rule {
  server: Named; // '' is the name of one that is gone
}

export interface CommandRule extends Rule {
  command: string;
  username: string;
  groupname: string;
}

export interface FileRule extends Rule {
  path: string;
  action: 'upload' | 'download' | '*' | (string & {});
  username: string;
  groupname: string;
}

// The most that a page of a list holds.
const most = 100;

// all reads a list of pages to its end.
async function all<T>(path: string, query: Record<string, string> = {}): Promise<T[]> {
  const out: T[] = [];
  for (let page = 1; page; ) {
    const got = await client.request<NumberedPage<T>>('GET', `${path}?${new URLSearchParams({ ...query, page: String(page), page_size: String(most) })}`);
    out.push(...got.results);
    page = got.next;
  }
  return out;
}

const make = { what: 'make an API token' };
const widen = { what: 'let an API token reach more' };

export const tokens = () => all<Token>('/api/auth/tokens/');
export const scopes = () => client.request<{ resources: ScopeResource[] }>('GET', '/api/auth/tokens/scopes/');
export const makeToken = (t: NewToken) => client.request<MadeToken>('POST', '/api/auth/tokens/', t, make);
export const duplicateToken = (id: string, name: string) =>
  client.request<MadeToken>('POST', `/api/auth/tokens/${id}/duplicate/`, name ? { name } : {}, make);
export const switchToken = (id: string, enabled: boolean) =>
  client.request<Token>('PATCH', `/api/auth/tokens/${id}/`, { enabled }, { what: 'switch an API token on' });
export const deleteToken = (id: string) => client.request<void>('DELETE', `/api/auth/tokens/${id}/`);

export const personTokens = (id: string) => all<Token>(`/api/iam/users/${id}/tokens/`);
export const blockToken = (id: string, token: string, enabled: boolean) =>
  client.request<Token>('PATCH', `/api/iam/users/${id}/tokens/${token}/`, { enabled }, { what: 'change an API token of somebody' });
export const deletePersonToken = (id: string, token: string) =>
  client.request<void>('DELETE', `/api/iam/users/${id}/tokens/${token}/`, undefined, { what: 'delete an API token of somebody' });

export type RuleKind = 'server' | 'command' | 'file';

const rules = <T>(kind: RuleKind, token: string) => all<T>(`/api/security/${kind}-acl/`, { token });
export const addRule = (kind: RuleKind, rule: object) => client.request<Rule>('POST', `/api/security/${kind}-acl/`, rule, widen);
export const removeRule = (kind: RuleKind, id: string) => client.request<void>('DELETE', `/api/security/${kind}-acl/${id}/`);

export const ruledServers = (token: string) => rules<ServerRule>('server', token);
export const commandRules = (token: string) => rules<CommandRule>('command', token);
export const fileRules = (token: string) => rules<FileRule>('file', token);
