import { Outlet, createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router';

import { AuditLogPage, type AuditSearch } from './pages/audit-log';
import { EnrolmentPage } from './pages/enrolment';
import { InvitationPage } from './pages/invitation';
import { MySecurityPage } from './pages/my-security';
import { MySessionsPage } from './pages/my-sessions';
import { SignInPage } from './pages/sign-in';
import { WorkspaceSecurityPage } from './pages/workspace-security';
import { Gate } from './stepup/gate';
import { Announcer } from './ui/announce';
import { Page, noteNavigation } from './ui/page';
import { Shell } from './ui/shell';

interface SignInSearch {
  next?: string;
  ended?: boolean;
}

const word = (value: unknown) => (typeof value === 'string' && value !== '' && value.length <= 500 ? value : undefined);

// routerFor returns the pages of the console; invitation is the secret of the
// link that the console was opened with, '' for none.
export function routerFor(invitation: string) {
  const root = createRootRoute({
    component: () => <Announcer><Outlet /><Gate /></Announcer>,
    notFoundComponent: () => <Page title="There is no such page" narrow><p><a href="/">To the first page</a></p></Page>,
  });
  const next = (search: Record<string, unknown>): SignInSearch => {
    const to = word(search['next']);
    return { ...(to ? { next: to } : {}), ...(search['ended'] === true ? { ended: true } : {}) };
  };
  const signIn = createRoute({ getParentRoute: () => root, path: '/signin', validateSearch: next, component: SignInPage });
  const enrolment = createRoute({ getParentRoute: () => root, path: '/enrolment', validateSearch: next, component: EnrolmentPage });
  const invited = createRoute({ getParentRoute: () => root, path: '/invitation', component: () => <InvitationPage token={invitation} /> });
  const signedIn = createRoute({ getParentRoute: () => root, id: 'signed-in', component: Shell });
  const home = createRoute({
    getParentRoute: () => signedIn, path: '/',
    beforeLoad: () => { throw redirect({ to: '/account/security', replace: true }); },
  });
  const mySecurity = createRoute({ getParentRoute: () => signedIn, path: '/account/security', component: MySecurityPage });
  const mySessions = createRoute({ getParentRoute: () => signedIn, path: '/account/sessions', component: MySessionsPage });
  const security = createRoute({ getParentRoute: () => signedIn, path: '/settings/security', component: WorkspaceSecurityPage });
  const audit = createRoute({
    getParentRoute: () => signedIn, path: '/audit', component: AuditLogPage,
    validateSearch: (search: Record<string, unknown>): AuditSearch => {
      const [app, model] = [word(search['app']), word(search['model'])];
      return { ...(app ? { app } : {}), ...(model ? { model } : {}), ...(search['mine'] === true ? { mine: true } : {}) };
    },
  });
  const router = createRouter({
    routeTree: root.addChildren([signIn, enrolment, invited, signedIn.addChildren([home, mySecurity, mySessions, security, audit])]),
  });
  router.subscribe('onBeforeNavigate', ({ fromLocation }) => {
    if (fromLocation) noteNavigation();
  });
  return router;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof routerFor>;
  }
}
