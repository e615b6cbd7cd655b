// Words and forms in which the console shows what the API says.

const methodNames: Record<string, string> = { otp: 'Authenticator app', recovery_code: 'Recovery code', password: 'Password' };

export function methodName(method: string): string {
  return methodNames[method] ?? method.replaceAll('_', ' ');
}

const instantFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function instant(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : instantFormat.format(at);
}

// Bounds of the MFA timeout. Source: product specification, "MFA enforcement".
export const minTimeoutSeconds = 60;
export const maxTimeoutSeconds = 24 * 60 * 60;

// minutesText writes seconds as minutes such that secondsOf reads them back.
export function minutesText(seconds: number): string {
  return String(Number((seconds / 60).toFixed(3)));
}

// secondsOf reads minutes that a person typed, with a point or a comma, as
// whole seconds; null when they are no number or out of bounds.
export function secondsOf(minutes: string): number | null {
  const text = minutes.trim().replace(',', '.');
  if (!/^\d{1,4}(\.\d{1,3})?$/.test(text)) return null;
  const seconds = Math.round(Number(text) * 60);
  return seconds >= minTimeoutSeconds && seconds <= maxTimeoutSeconds ? seconds : null;
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
