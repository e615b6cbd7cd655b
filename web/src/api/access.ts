// The gate of work on servers.
import { client } from './calls';
import type { Named } from './servers';

export interface WorkAsk {
  server: string;
  action: string;
  username?: string;
  groupname?: string;
  line?: string;
  path?: string;
  recursive?: boolean;
  direction?: string;
}

export interface WorkAnswer {
  server: Named;
  action: string;
  username: string; // the account that it would be done as
  groupname: string;
  system_account: boolean;
  protected: boolean; // a fresh verification was asked for
  verified_until: string | null;
}

// checkWork asks whether the caller may do something on a server now; a work
// that asks for a fresh verification gets one.
export const checkWork = (ask: WorkAsk) => client.request<WorkAnswer>('POST', '/api/access/check/', ask, { what: 'work as a system account' });
