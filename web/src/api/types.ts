// The parts of the API that the console uses. docs/api.md is the contract; the
// Go types stand in shared/httpapi.

export type Method = 'otp' | 'recovery_code' | (string & {});
export type Purpose = 'login' | 'step_up';
export type State = 'signed_in' | 'mfa_required' | 'enrolment_required';

export interface SigninAnswer {
  state: State;
  methods: Method[];
}

export interface Challenge {
  id: string;
  method: Method;
  expires_at: string;
}

export interface VerifyAnswer {
  state: State;
  valid_until: string;
}

export interface Factor {
  id: string;
  method: Method;
  name: string;
  confirmed_at: string;
}

export interface Enrolment {
  id: string;
  secret: string;
  uri: string;
  qr_svg: string;
  expires_at: string;
}

export interface ConfirmAnswer {
  state: State;
  factor: Factor;
  recovery_codes: string[];
}

export interface Invitation {
  workspace: string;
  email: string;
  role: string;
  expires_at: string;
}

export interface Acceptance {
  token: string;
  username?: string;
  first_name?: string;
  last_name?: string;
  password: string;
}

export interface LoginSession {
  id: string;
  kind: string;
  current: boolean;
  device: string;
  address: string;
  method: string;
  factors: string[];
  created_at: string;
  seen_at: string;
  ends_at: string;
  mfa_age_seconds: number | null;
}

export interface Me {
  id: string;
  username: string;
  first_name: string;
  last_name: string;
  email: string;
  is_staff: boolean;
  is_superuser: boolean;
}

export interface SecuritySettings {
  mfa_required: boolean;
  mfa_timeout: number; // seconds
  allowed_mfa_methods: string[];
  mfa_required_actions: string[];
  passkey_as_mfa: boolean;
}

export interface SecurityPatch {
  mfa_required?: boolean;
  mfa_timeout?: number; // seconds
}

export interface Change {
  path: string;
  before: string;
  after: string;
}

export interface AuditEvent {
  id: string;
  user: { id: string; name: string } | null;
  username: string;
  ip: string;
  app: string;
  model: string;
  action: string;
  added_at: string;
  description: string;
  code: string;
  event: string;
  outcome: string;
  privileged: boolean;
  request_id: string;
  target?: string;
  changes: Change[];
}

export interface List<T> {
  results: T[];
}

export interface CursorPage<T> {
  next: string; // '' on the last page
  results: T[];
}
