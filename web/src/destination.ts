// Where to go after signing in.

import { isLinkPage } from './opened';

const home = '/account/security';

// Pages that are no place to go to: they are part of signing in.
const onTheWay = ['/', '/signin', '/change-password', '/forgot-password'];

// Pages of links that ask for a session first: the console holds their secret
// until then.
const afterSignIn = ['/device', '/verify'];

// destination returns the path, with query, that a link asked to go to after
// signing in, and the console's first page for whatever is not a path of this
// origin. Source: security, WB-7.
export function destination(asked: unknown, origin: string): string {
  if (typeof asked !== 'string' || !/^\/(?![/\\])/.test(asked) || /[\\\p{Cc}]/u.test(asked)) return home;
  let target: URL;
  try {
    target = new URL(asked, origin);
  } catch {
    return home;
  }
  const path = target.pathname;
  if (target.origin !== origin || path.startsWith('//') || path.startsWith('/api/')) return home;
  if (onTheWay.includes(path) || (isLinkPage(path) && !afterSignIn.includes(path))) return home;
  return path + target.search;
}
