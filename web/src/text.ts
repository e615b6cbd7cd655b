// Words and forms in which the console shows what the API says.

import type { Method, Role, RoleFlags, User } from './api/types';

const methodNames: Record<string, string> = {
  hardware_key: 'Security key', biometric: 'Fingerprint or face', otp: 'Authenticator app', email: 'Code by e-mail', phone: 'Code by telephone',
  recovery_code: 'Recovery code', password: 'Password', passkey: 'Passkey',
};

// The order in which methods are offered: keys, which nobody can be talked out
// of, first; a recovery code, which is the last resort, last.
const methodOrder = ['hardware_key', 'biometric', 'otp', 'email', 'phone', 'recovery_code'];

// offered returns the methods that this console can ask for, best first.
export function offered(methods: Method[], keys: boolean): Method[] {
  return methodOrder.filter((m) => methods.includes(m) && (keys || !isKey(m)));
}

export const isKey = (method: Method) => method === 'hardware_key' || method === 'biometric';

export function methodName(method: string): string {
  return methodNames[method] ?? method.replaceAll('_', ' ');
}

const sessionKinds: Record<string, string> = { web: 'Browser', cli: 'Command line', device: 'Device' };

export function sessionKind(kind: string): string {
  return sessionKinds[kind] ?? kind;
}

export function nameOf(u: Pick<User, 'first_name' | 'last_name' | 'username' | 'email'>): string {
  return `${u.first_name} ${u.last_name}`.trim() || u.username || u.email;
}

const roleNames: Record<string, string> = { member: 'Member', staff: 'Staff', superuser: 'Superuser' };

export function roleName(role: string): string {
  return roleNames[role] ?? role;
}

// roleOf returns the role setting that the two flags mean: a superuser is staff
// as well.
export function roleOf(flags: RoleFlags): Role {
  if (flags.is_superuser) return 'superuser';
  return flags.is_staff ? 'staff' : 'member';
}

export function roleFlags(role: string): RoleFlags {
  return { is_staff: role === 'staff' || role === 'superuser', is_superuser: role === 'superuser' };
}

const instantFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function instant(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : instantFormat.format(at);
}

// A Span is how a length of time is typed: in which unit, between which bounds.
export interface Span {
  unit: 'minutes' | 'hours';
  min: number; // seconds
  max: number; // seconds
}

const unitSeconds = { minutes: 60, hours: 3600 };

// The bounds of the MFA timeout. Source: product specification, "MFA
// enforcement".
export const verificationSpan: Span = { unit: 'minutes', min: 60, max: 24 * 3600 };
// Those of sessions. Source: shared/workspace.
export const idleSpan: Span = { unit: 'minutes', min: 5 * 60, max: 24 * 3600 };
export const absoluteSpan: Span = { unit: 'hours', min: 3600, max: 30 * 24 * 3600 };

// spanText writes seconds in a span's unit. secondsOf reads minutes back as they
// were; hours are whole where people set them.
export function spanText(seconds: number, span: Span): string {
  return String(Number((seconds / unitSeconds[span.unit]).toFixed(3)));
}

// secondsOf reads what a person typed, with a point or a comma, as whole
// seconds; null when it is no number or out of bounds.
export function secondsOf(typed: string, span: Span): number | null {
  const text = typed.trim().replace(',', '.');
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(text)) return null;
  const seconds = Math.round(Number(text) * unitSeconds[span.unit]);
  return seconds >= span.min && seconds <= span.max ? seconds : null;
}

export function age(seconds: number): string {
  if (seconds < 60) return 'less than a minute ago';
  const [count, unit] = seconds < 3600 ? [Math.floor(seconds / 60), 'minute'] : [Math.floor(seconds / 3600), 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

// The first that matches names the program: many claim to be others as well.
const programs: [RegExp, string][] = [
  [/^alpacon-cli\/([\d.]+)/, 'Alpacon CLI'],
  [/\bEdg(?:A|iOS)?\/(\d+)/, 'Edge'],
  [/\bOPR\/(\d+)/, 'Opera'],
  [/\b(?:Firefox|FxiOS)\/(\d+)/, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|CriOS|Chromium)\/(\d+)/, 'Chrome'],
  [/\bVersion\/(\d+)[\d.]* .*Safari\//, 'Safari'],
  [/^curl\/([\d.]+)/, 'curl'],
];
const systems: [RegExp, string][] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

// device names program and system of a user agent. It is a hint for its owner
// and decides nothing: clients write there what they like.
export function device(userAgent: string): string {
  const program = programs.map(([form, name]) => [name, form.exec(userAgent)?.[1]]).find(([, version]) => version);
  const system = systems.find(([form]) => form.test(userAgent))?.[1];
  if (!program) return userAgent.slice(0, 60) || 'Unknown device';
  return `${program[0]} ${program[1]}${system ? ` on ${system}` : ''}`;
}

// svgImage turns the text of an SVG into the address of an image: as an image
// it cannot run scripts, whatever it holds.
export function svgImage(svg: string): string {
  const bytes = new TextEncoder().encode(svg);
  return `data:image/svg+xml;base64,${btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''))}`;
}
