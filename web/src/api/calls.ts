import { Client } from './client';
import type {
  Acceptance, AuditEvent, Challenge, ConfirmAnswer, CursorPage, Enrolment, Factor, Invitation, KnownDevice, List,
  LoginSession, Method, Purpose, SecurityPatch, SecuritySettings, SigninAnswer, User, UserPatch, VerifyAnswer,
} from './types';

export const client = new Client((path, init) => fetch(path, init));

const bare = { bare: true };

// rising notes that the answer replaced the session's handle.
async function rising<T>(answer: Promise<T>): Promise<T> {
  const got = await answer;
  client.rose();
  return got;
}

// signIn gives the password; ticket is the secret of a link that admits one more
// try, '' for none.
export const signIn = (login: string, password: string, ticket: string) =>
  rising(client.request<SigninAnswer>('POST', '/api/auth/signin/', { login, password, ...(ticket ? { ticket } : {}) }, bare));
export const signOut = () => client.request<void>('POST', '/api/auth/logout/', undefined, bare);
export const viewInvitation = (token: string) =>
  client.request<Invitation>('POST', '/api/auth/invitations/view/', { token }, bare);
export const acceptInvitation = (a: Acceptance) =>
  rising(client.request<SigninAnswer>('POST', '/api/auth/invitations/accept/', a, bare));

export const openChallenge = (method: Method, purpose: Purpose) =>
  client.request<Challenge>('POST', '/api/auth/mfa/challenges/', { method, purpose }, bare);
export const verifyChallenge = (id: string, code: string) =>
  rising(client.request<VerifyAnswer>('POST', `/api/auth/mfa/challenges/${id}/verify/`, { code }, bare));

export const factors = () => client.request<List<Factor>>('GET', '/api/auth/mfa/factors/');
export const ownFactors = () => client.request<List<Factor>>('GET', '/api/auth/mfa/factors/', undefined, bare);
export const enrol = (name: string, options = {}) =>
  client.request<Enrolment>('POST', '/api/auth/mfa/factors/', { method: 'otp', name }, options);
export const confirmEnrolment = (id: string, code: string, options = {}) =>
  rising(client.request<ConfirmAnswer>('POST', `/api/auth/mfa/factors/${id}/confirm/`, { code }, options));
export const removeFactor = (id: string) => client.request<void>('DELETE', `/api/auth/mfa/factors/${id}/`);
export const newRecoveryCodes = () =>
  client.request<{ recovery_codes: string[] }>('POST', '/api/auth/mfa/recovery-codes/');

export const sessions = () => client.request<List<LoginSession>>('GET', '/api/auth/sessions/');
export const endSession = (id: string) => client.request<void>('DELETE', `/api/auth/sessions/${id}/`);
export const endAllSessions = () => client.request<void>('POST', '/api/auth/sessions/end-all/');
export const endOtherSessions = () => rising(client.request<void>('POST', '/api/auth/sessions/end-others/'));
export const knownDevices = () => client.request<List<KnownDevice>>('GET', '/api/auth/devices/');
export const forgetDevice = (id: string) => client.request<void>('DELETE', `/api/auth/devices/${id}/`);

export const changePassword = (current: string, password: string) =>
  rising(client.request<{ state: string }>('POST', '/api/auth/password/change/', { current, password }));

export const me = () => client.request<User>('GET', '/api/iam/users/-/');
export const ownState = () => client.request<User>('GET', '/api/iam/users/-/', undefined, bare);
export const patchMe = (p: UserPatch) => client.request<User>('PATCH', '/api/iam/users/-/', p);
export const setUsername = (username: string) =>
  client.request<{ id: string; username: string }>('POST', '/api/iam/username/', { username });
export const securitySettings = () => client.request<SecuritySettings>('GET', '/api/workspaces/security/-/');
export const patchSecurity = (p: SecurityPatch) =>
  client.request<SecuritySettings>('PATCH', '/api/workspaces/security/-/', p);

export interface AuditFilter {
  app?: string;
  model?: string;
  user?: string;
}

export const auditPageSize = 25;

export function auditEvents(filter: AuditFilter, cursor: string) {
  const query = new URLSearchParams({ page_size: String(auditPageSize) });
  for (const [name, value] of Object.entries({ ...filter, cursor })) if (value) query.set(name, value);
  return client.request<CursorPage<AuditEvent>>('GET', `/api/audit/activity/?${query}`);
}
