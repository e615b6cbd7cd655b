// How servers are shown, and what forms of them mean.

import { Problem } from './api/problem';
import type { WorkAsk } from './api/access';
import type { Assignment, Brief, ChangedServer } from './api/servers';

export const platforms = [
  { value: 'debian', label: 'Debian or Ubuntu' },
  { value: 'rhel', label: 'RHEL, Rocky, AlmaLinux or Fedora' },
  { value: 'darwin', label: 'macOS' },
  { value: 'windows', label: 'Windows' },
];

export const platformName = (p: string): string => platforms.find((x) => x.value === p)?.label ?? p;

// linesOf returns the lines of a text, without empty ones and each once.
export const linesOf = (text: string): string[] => [...new Set(text.split('\n').map((l) => l.trim()).filter(Boolean))];

// subjectName names who was given servers.
export const subjectName = (a: Assignment): string => a.group?.name ?? (a.user?.name || 'somebody who is gone');

// openedText tells what older patterns open a server since it has its name; ''
// for none.
export function openedText(s: ChangedServer): string {
  if (s.opened.length === 0) return '';
  const by = (o: ChangedServer['opened'][number]) => `${o.pattern} (${o.group ? `${o.by === 'group' ? '' : `${o.by} of `}the group ${o.group}` : `${o.by === 'assignment' ? 'an' : 'a'} ${o.by}`})`;
  const n = s.opened_users_n;
  const whom = n === null ? 'more people than can be counted here' : n === 0 ? 'nobody for now' : n === 1 ? 'one person' : `${n} people`;
  return `Patterns that were there open the server since it has this name: ${s.opened.map(by).join(', ')}. They open it to ${whom}.`;
}

// named returns a failure as one of other fields of a form, as `as` names them;
// what has no such field stays as it is.
export function named(failure: unknown, as: Record<string, string>): unknown {
  const field = failure instanceof Problem ? as[failure.source] : undefined;
  if (!(failure instanceof Problem) || field === undefined) return failure;
  return new Problem(failure.status, failure.code, failure.message, field, failure.requestID, failure.decisionID, failure.retryAfterSeconds);
}

// unknownName is the refusal of a name in a field of a form that names nothing
// which one may see.
export const unknownName = (what: string, name: string, field: string) => new Problem(0, 'unknown_name', `You see no ${what} named ${name}.`, field);

// keptOr returns the id of one of those who are there, by address or name.
export const keptOr = (name: string, there: Brief[]): string | undefined => there.find((b) => b.email === name || (b.email === '' && b.name === name))?.id;

// works are what one does on servers, as a form chooses it.
export const works = [
  { value: 'websh', label: 'Open a terminal' },
  { value: 'command', label: 'Run a command' },
  { value: 'upload', label: 'Upload a file' },
  { value: 'download', label: 'Download a file' },
  { value: 'folder', label: 'Download a folder' },
  { value: 'editor', label: 'Edit a file' },
  { value: 'deploy_shell', label: 'Run a Deploy shell' },
];

// workOf returns what a form asks of the gate. A field that does not belong to
// the work is sent as it is: the gate names it.
export function workOf(server: string, values: Record<string, string>): WorkAsk {
  const work = values['work'] ?? '';
  const files = ['upload', 'download', 'folder'].includes(work);
  const [username, line, path] = ['username', 'line', 'path'].map((name) => values[name]?.trim() ?? '');
  return {
    server,
    action: files ? 'webftp' : work,
    ...(username ? { username } : {}),
    ...(line ? { line } : {}),
    ...(path ? { path } : {}),
    ...(files ? { direction: work === 'upload' ? 'upload' : 'download' } : {}),
    ...(work === 'folder' ? { recursive: true } : {}),
  };
}
