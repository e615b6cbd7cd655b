// The parts of the API that the console uses. docs/api.md is the contract; the
// Go types stand in shared/httpapi.

import type { CreationOptions, KeyAnswer, RequestOptions } from './webauthn';

export type Method = 'hardware_key' | 'biometric' | 'otp' | 'email' | 'phone' | 'recovery_code' | (string & {});
export type Via = 'sms' | 'voice' | (string & {}); // how a code reaches a phone
// What became of a code that was sent. 'sent': the service took it.
export type Delivery = 'queued' | 'sent' | 'failed';
export type Purpose = 'login' | 'step_up';
export type State = 'signed_in' | 'mfa_required' | 'enrolment_required' | 'password_change_required';

export interface SigninAnswer {
  state: State;
  methods: Method[];
}

export interface Challenge {
  id: string;
  method: Method;
  expires_at: string;
  sent_to?: string; // masked: where a code was sent
  webauthn?: RequestOptions; // of a security key or device
}

// A Way is how a proof is given: by a method and, for a code to a phone, to
// which one and how.
export interface Way {
  method: Method;
  via?: Via;
  factor?: string;
  to?: string; // what people know the phone by
}

// A SentCode is a code under way, of a challenge or of a method that is set up.
export interface SentCode {
  id: string;
  sent_to: string; // masked
  delivery: Delivery;
}

// A Proof answers a challenge, or confirms a method: with a code, or with the
// answer of a key.
export type Proof = { code: string } | { credential: KeyAnswer };

export interface PasskeyChallenge {
  id: string;
  expires_at: string;
  webauthn: RequestOptions;
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
  sent_to: string; // masked number of a phone; '' for other methods
  restricted: boolean; // whoever holds the number or the mailbox can use it
}

// A NewFactor is a method to be set up.
export interface NewFactor {
  method: Method;
  name: string;
  phone?: string;
  via?: Via;
}

export interface Factors extends List<Factor> {
  sign_in_methods: Method[];
  enrol_methods: Method[];
  step_up_methods: Method[]; // those of the workspace, held or not
  phone_vias: Via[]; // how codes are sent to phones here
}

export interface Enrolment {
  id: string;
  secret: string;
  uri: string;
  qr_svg: string;
  expires_at: string;
  webauthn?: CreationOptions; // of a security key or device
  sent_to?: string; // masked: where a code was sent
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

// A KnownDevice is a browser in which the account signed in before.
export interface KnownDevice {
  id: string;
  device: string;
  network: string;
  created_at: string;
  seen_at: string;
  current: boolean;
}

// A DeviceLogin is a command line elsewhere that asks to be signed in.
export interface DeviceLogin {
  user_code: string;
  client_id: string;
  client_name: string;
  device_id: string;
  user_agent: string;
  address: string;
  requested_at: string;
  expires_at: string;
}

// A WaitingLine is a command line of one's own that waits for a verification.
export interface WaitingLine {
  user_agent: string;
  address: string;
  requested_at: string;
  expires_at: string;
}

export interface Profile {
  first_name: string;
  last_name: string;
  phone: string;
  tags: string;
  description: string;
  shell: string;
}

export interface User extends Profile {
  id: string;
  username: string; // '' until its owner set one
  email: string;
  uid: number;
  is_active: boolean;
  is_staff: boolean;
  is_superuser: boolean;
  date_joined: string;
  mfa_methods: Method[];
  email_verified: boolean;
  pending_email: string; // '' for none
  notify_step_up: boolean;
  temporary_password_until?: string; // while the password is one that an administrator chose
}

export type Role = 'member' | 'staff' | 'superuser';

export interface RoleFlags {
  is_staff: boolean;
  is_superuser: boolean;
}

export interface UserPatch extends Partial<Profile>, Partial<RoleFlags> {
  email?: string;
  is_active?: boolean;
  notify_step_up?: boolean;
}

export interface NewUser extends Partial<Profile>, Partial<RoleFlags> {
  email: string;
  username?: string;
  password?: string;
}

export interface OpenInvitation {
  id: string;
  email: string;
  role: string;
  invited_by: string;
  expires_at: string;
}

// What an assignment to servers opens.
export interface Access {
  terminal: boolean;
  webftp: boolean;
  deploy_shell: boolean;
  sudo: boolean;
}

export interface GroupFields {
  name: string;
  display_name: string;
  description: string;
  tags: string;
  server_patterns: string[];
  permissions: Access;
}

export interface Group extends GroupFields {
  id: string;
  num_members: number; // 0 where one may not see them
  gid: number;
  servers: { id: string; name: string }[];
  added_at: string;
  allowed: string[]; // what one may with it, as resource:action
}

export type MemberRole = 'owner' | 'manager' | 'member';

// A Membership is a person's place in a group.
export interface Membership {
  id: string;
  group: string;
  group_name: string;
  user: { id: string; name: string; email: string };
  role: MemberRole;
  expires_at: string | null; // null: no end
  allowed: string[]; // what one may with it, as resource:action
}

export interface NewMembership {
  group: string;
  username: string;
  role: string;
  expires_at?: string;
}

export interface MembershipPatch {
  role?: string;
  expires_at?: string; // '' for no end
}

export interface SecuritySettings {
  mfa_required: boolean;
  mfa_timeout: number; // seconds
  allowed_mfa_methods: string[];
  mfa_required_actions: string[];
  passkey_as_mfa: boolean;
  // What not every version has.
  cli_login?: string; // 'browser' or 'legacy'
  password_check_failure?: string; // 'refuse' or 'allow'
  session_idle_timeout?: number; // seconds
  session_absolute_timeout?: number; // seconds
  unusual_sign_in?: boolean;
  hardware_key_models?: string[]; // AAGUIDs; none: any
  sign_count_regression?: string; // 'refuse' or 'report'
  step_up_methods?: string[]; // none: each that is allowed
  notify_step_up?: boolean;
}

export interface SecurityPatch extends Partial<SecuritySettings> {
  acknowledge_affected?: number;
}

// A PolicyImpact is what a change of the policy means for people.
export interface PolicyImpact {
  affected_count: number; // they lose their last method
  affected: { id: string; name: string }[]; // the first of them
  without_method_count: number; // they have none where one is now demanded
  without_method: { id: string; name: string }[]; // the first of them
  superusers: number; // who could change it back
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
  decision_id?: string;
  target?: string;
  changes: Change[];
}

export interface List<T> {
  results: T[];
}

export interface NumberedPage<T> {
  count: number;
  current: number;
  next: number; // 0 for none
  previous: number; // 0 for none
  last: number;
  results: T[];
}

export interface CursorPage<T> {
  next: string; // '' on the last page
  results: T[];
}
