// The secret with which the console was opened by a mailed link.

// A link's page, and the secret that stood behind its "#"; '' for none.
export interface Opened {
  page: string;
  secret: string;
}

const linkPages = ['/invitation', '/reset-password', '/confirm-email', '/undo-email', '/not-me', '/unlock', '/device', '/verify'];

export function isLinkPage(path: string): boolean {
  return linkPages.includes(path);
}

// open takes the secret of a link out of the address, when the address is that
// of a page which links lead to.
export function open(place: Location, past: History): Opened {
  return { page: place.pathname, secret: isLinkPage(place.pathname) ? takeToken(place, past) : '' };
}

// takeToken reads the secret of a link and takes it out of the address, so that
// it stays in no history and no screenshot.
export function takeToken(place: Location, past: History): string {
  const token = place.hash.replace(/^#/, '');
  if (token) past.replaceState(past.state, '', place.pathname + place.search);
  return token;
}
