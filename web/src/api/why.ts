// Why somebody may or may not do something, and what is reached by what.
import { client } from './calls';
import type { Brief, Named } from './servers';
import type { NumberedPage } from './types';

// A Through is what gives permissions, and the names of what it speaks of; ''
// for none.
export interface Through {
  reason: string;
  role: string;
  group: string;
  pattern: string;
}

export interface Examined extends Through {
  allows: boolean;
  miss: 'other_permission' | 'other_object' | 'not_yet' | 'ended' | (string & {}); // '' when it allows
  expires_at: string | null;
}

// A Step is the smallest change that would allow. What one does not see of it
// is ''.
export interface Step {
  kind: 'membership' | 'server_assignment' | 'role_assignment' | 'role_setting' | (string & {});
  group: string;
  member_role: string;
  server: string;
  permissions: string; // words between blanks
  role: string;
  role_setting: string;
  makers_count: number;
  makers: Brief[]; // the first of them
}

export interface Explanation {
  allowed: boolean;
  failing_condition: string;
  grants: Examined[];
  step: Step | null;
}

// A Decision refused a request; explanation tells how it would be decided now.
export interface Decision {
  id: string;
  at: string;
  permission: string;
  object: string; // its id; '' for none
  failing_condition: string;
  method: string;
  route: string;
  explanation: Explanation | null;
}

export interface Hold extends Through {
  permissions: string[];
  expires_at: string | null;
}

// A Reached is one server that somebody reaches, or one who reaches a server.
export interface Reached {
  server: Named;
  user: Brief | null;
  application?: Named | null; // who reaches it instead of a person
  grants: Hold[];
}

export interface Question {
  user?: string; // oneself where it is not said
  permission: string;
  object?: string;
}

export const decision = (id: string) => client.request<Decision>('GET', `/api/iam/decisions/${id}/`);
export const explain = (q: Question) => client.request<Explanation>('POST', '/api/iam/explain/', q);

export const reachPageSize = 25;

// reach returns a page of who reaches a server, of what somebody reaches, or of
// what the caller does.
export const reach = (of: { server: string } | { user: string } | Record<string, never>, page: number) =>
  client.request<NumberedPage<Reached>>('GET', `/api/iam/reach/?${new URLSearchParams({ ...of, page: String(page), page_size: String(reachPageSize) })}`);

export const permissions = () => client.request<{ permission: string }[]>('GET', '/api/iam/permissions/');
