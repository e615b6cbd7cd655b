import { Link } from '@tanstack/react-router';

import { Page } from '../ui/page';

// PreferencesPage leads to what belongs to oneself.
export function PreferencesPage() {
  return (
    <Page title="Preferences">
      <ul>
        <li><Link to="/preferences/tokens">API tokens</Link>: for programs that act as you</li>
        <li><Link to="/account/profile">My profile</Link></li>
        <li><Link to="/account/security">My security</Link></li>
        <li><Link to="/account/sessions">My sessions</Link></li>
      </ul>
    </Page>
  );
}
