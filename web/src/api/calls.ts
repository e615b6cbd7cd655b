import { Client, type Options } from './client';
import type {
  Acceptance, AuditEvent, Challenge, ConfirmAnswer, CursorPage, Enrolment, Factors, Invitation, KnownDevice, List,
  LoginSession, NewFactor, PasskeyChallenge, PolicyImpact, Proof, Purpose, SecurityPatch, SecuritySettings, SentCode,
  SigninAnswer, User, UserPatch, VerifyAnswer, WaitingLine, Way,
} from './types';
import type { KeyAnswer } from './webauthn';

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
export const openPasskeyChallenge = () => client.request<PasskeyChallenge>('POST', '/api/auth/passkey/challenges/', undefined, bare);
export const signInWithPasskey = (id: string, credential: KeyAnswer) =>
  rising(client.request<SigninAnswer>('POST', `/api/auth/passkey/challenges/${id}/verify/`, { credential }, bare));
export const signOut = () => client.request<void>('POST', '/api/auth/logout/', undefined, bare);
export const viewInvitation = (token: string) =>
  client.request<Invitation>('POST', '/api/auth/invitations/view/', { token }, bare);
export const acceptInvitation = (a: Acceptance) =>
  rising(client.request<SigninAnswer>('POST', '/api/auth/invitations/accept/', a, bare));

export const openChallenge = ({ method, via, factor }: Way, purpose: Purpose) =>
  client.request<Challenge>('POST', '/api/auth/mfa/challenges/', { method, purpose, via, factor }, bare);
export const openedChallenge = (id: string) => client.request<SentCode>('GET', `/api/auth/mfa/challenges/${id}/`, undefined, bare);
export const verifyChallenge = (id: string, proof: Proof) =>
  rising(client.request<VerifyAnswer>('POST', `/api/auth/mfa/challenges/${id}/verify/`, proof, bare));

export const factors = () => client.request<Factors>('GET', '/api/auth/mfa/factors/');
export const ownFactors = () => client.request<Factors>('GET', '/api/auth/mfa/factors/', undefined, bare);
export const enrol = (wanted: NewFactor, options: Options = {}) =>
  client.request<Enrolment>('POST', '/api/auth/mfa/factors/', wanted, { what: 'add a sign-in method', ...options });
export const confirmEnrolment = (id: string, proof: Proof, options: Options = {}) =>
  rising(client.request<ConfirmAnswer>('POST', `/api/auth/mfa/factors/${id}/confirm/`, proof, { what: 'add a sign-in method', ...options }));
export const pendingEnrolment = (id: string) => client.request<SentCode>('GET', `/api/auth/mfa/factors/${id}/`, undefined, bare);
export const removeFactor = (id: string) =>
  client.request<void>('DELETE', `/api/auth/mfa/factors/${id}/`, undefined, { what: 'remove a sign-in method' });
export const newRecoveryCodes = () =>
  client.request<{ recovery_codes: string[] }>('POST', '/api/auth/mfa/recovery-codes/', undefined, { what: 'make new recovery codes' });

// Command lines that wait for a verification of their owner.
export const lookUpLine = (token: string) => client.request<WaitingLine>('POST', '/api/auth/mfa/requests/lookup/', { token });
export const verifyLine = (token: string) =>
  client.request<void>('POST', '/api/auth/mfa/requests/give/', { token }, { what: 'verify a command line' });

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
export const patchMe = (p: UserPatch) => client.request<User>('PATCH', '/api/iam/users/-/', p, { what: 'change your account' });
export const setUsername = (username: string) =>
  client.request<{ id: string; username: string }>('POST', '/api/iam/username/', { username });
export const securitySettings = () => client.request<SecuritySettings>('GET', '/api/workspaces/security/-/');
export const patchSecurity = (p: SecurityPatch) =>
  client.request<SecuritySettings>('PATCH', '/api/workspaces/security/-/', p, { what: 'change the security settings' });
export const previewSecurity = (p: SecurityPatch) => client.request<PolicyImpact>('POST', '/api/workspaces/security/-/preview/', p);

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
