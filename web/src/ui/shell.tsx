import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { me, signOut } from '../api/calls';
import { Failure, Loading } from './notice';

export const meQuery = { queryKey: ['me'], queryFn: me, staleTime: 60_000 };

export function SkipLink() {
  return (
    <a className="skip" href="#content" onClick={(event) => {
      event.preventDefault();
      document.getElementById('content')?.focus();
    }}>Skip to the content</a>
  );
}

// Shell is the frame of every page of a signed-in person.
export function Shell() {
  const person = useQuery(meQuery);
  const navigate = useNavigate();
  const queries = useQueryClient();
  if (person.isPending) return <main id="content"><Loading /></main>;
  if (person.isError) return <main id="content"><h1>Paddock</h1><Failure of={person.error} /></main>;
  const leave = async () => {
    await signOut().catch(() => undefined); // a session that has ended is signed out too
    queries.clear();
    await navigate({ to: '/signin', search: {} });
  };
  return (
    <>
      <SkipLink />
      <header className="bar">
        <span className="brand">Paddock</span>
        <nav aria-label="Main">
          <ul>
            <li><Link to="/account/profile">My profile</Link></li>
            <li><Link to="/account/security">My security</Link></li>
            <li><Link to="/account/sessions">My sessions</Link></li>
            {person.data.is_staff && <li><Link to="/people" search={{}}>People</Link></li>}
            <li><Link to="/groups" search={{}}>Groups</Link></li>
            <li><Link to="/servers" search={{}}>Servers</Link></li>
            <li><Link to="/check-access">Check access</Link></li>
            <li><Link to="/preferences">Preferences</Link></li>
            {person.data.is_staff && <li><Link to="/roles" search={{}}>Roles</Link></li>}
            <li><Link to="/applications" search={{}}>Applications</Link></li>
            {person.data.is_staff && <li><Link to="/settings/security">Settings</Link></li>}
            <li><Link to="/audit" search={{}}>Audit log</Link></li>
          </ul>
        </nav>
        <div className="who">
          <span>{person.data.username || person.data.email}</span>
          <Button onPress={leave}>Sign out</Button>
        </div>
      </header>
      <Outlet />
    </>
  );
}
