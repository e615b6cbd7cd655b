import { Outlet, createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router';

import { ApplicationPage } from './pages/application';
import { ApplicationChangePage, NewApplicationPage } from './pages/application-change';
import { ApplicationsPage } from './pages/applications';
import { AuditLogPage, type AuditSearch } from './pages/audit-log';
import { CheckAccessPage } from './pages/check-access';
import { ChangePasswordPage } from './pages/change-password';
import { DevicePage, type DeviceSearch } from './pages/device';
import { EnrolmentPage } from './pages/enrolment';
import { ForgotPasswordPage } from './pages/forgot-password';
import { GroupPage } from './pages/group';
import { GroupChangePage, GroupConfigPage } from './pages/group-change';
import { GroupsPage } from './pages/groups';
import { ImportGroupPage, NewGroupPage } from './pages/groups-new';
import { InvitationPage } from './pages/invitation';
import { ConfirmEmailPage, NotMePage, UndoEmailPage, UnlockPage } from './pages/mailed-link';
import { MyProfilePage } from './pages/my-profile';
import { MySecurityPage } from './pages/my-security';
import { MySessionsPage } from './pages/my-sessions';
import { PeoplePage } from './pages/people';
import { InvitePage } from './pages/people-invite';
import { NewPersonPage } from './pages/people-new';
import { PersonPage } from './pages/person';
import { PreferencesPage } from './pages/preferences';
import { ReachPage } from './pages/reach';
import { ResetPasswordPage } from './pages/reset-password';
import { RolePage } from './pages/role';
import { NewRolePage, RoleChangePage } from './pages/role-change';
import { RolesPage } from './pages/roles';
import { ServerPage } from './pages/server';
import { RegisterServerPage } from './pages/server-register';
import { ServersPage } from './pages/servers';
import { SignInPage } from './pages/sign-in';
import { TokenPage } from './pages/token';
import { NewTokenPage } from './pages/token-new';
import { TokensPage } from './pages/tokens';
import { VerifyPage } from './pages/verify';
import { WorkspaceSecurityPage } from './pages/workspace-security';
import type { Opened } from './opened';
import { Gate } from './stepup/gate';
import { Announcer } from './ui/announce';
import type { ListSearch } from './ui/listing';
import { Page, noteNavigation } from './ui/page';
import { Shell } from './ui/shell';

interface SignInSearch {
  next?: string;
  ended?: boolean;
}

const word = (value: unknown) => (typeof value === 'string' && value !== '' && value.length <= 500 ? value : undefined);

// listed reads which page of a list is asked for, and by which name it is
// narrowed.
function listed(search: Record<string, unknown>): ListSearch {
  const [page, name] = [Number(search['page']), word(search['name'])];
  return { ...(Number.isSafeInteger(page) && page > 1 ? { page } : {}), ...(name ? { name } : {}) };
}

// routerFor returns the pages of the console; a secret of the link that the
// console was opened with goes to that link's page only.
export function routerFor(opened: Opened) {
  const secretOf = (page: string) => (opened.page === page ? opened.secret : '');
  const ticket = { current: secretOf('/unlock') };
  const root = createRootRoute({
    component: () => <Announcer><Outlet /><Gate /></Announcer>,
    notFoundComponent: () => <Page title="There is no such page" narrow><p><a href="/">To the first page</a></p></Page>,
  });
  const next = (search: Record<string, unknown>): SignInSearch => {
    const to = word(search['next']);
    return { ...(to ? { next: to } : {}), ...(search['ended'] === true ? { ended: true } : {}) };
  };
  const signIn = createRoute({ getParentRoute: () => root, path: '/signin', validateSearch: next, component: () => <SignInPage ticket={ticket} /> });
  const enrolment = createRoute({ getParentRoute: () => root, path: '/enrolment', validateSearch: next, component: EnrolmentPage });
  const change = createRoute({ getParentRoute: () => root, path: '/change-password', validateSearch: next, component: ChangePasswordPage });
  const forgot = createRoute({ getParentRoute: () => root, path: '/forgot-password', component: ForgotPasswordPage });
  const invited = createRoute({ getParentRoute: () => root, path: '/invitation', component: () => <InvitationPage token={secretOf('/invitation')} /> });
  const reset = createRoute({ getParentRoute: () => root, path: '/reset-password', component: () => <ResetPasswordPage token={secretOf('/reset-password')} /> });
  const confirm = createRoute({ getParentRoute: () => root, path: '/confirm-email', component: () => <ConfirmEmailPage token={secretOf('/confirm-email')} /> });
  const undo = createRoute({ getParentRoute: () => root, path: '/undo-email', component: () => <UndoEmailPage token={secretOf('/undo-email')} /> });
  const report = createRoute({ getParentRoute: () => root, path: '/not-me', component: () => <NotMePage token={secretOf('/not-me')} /> });
  const unlock = createRoute({ getParentRoute: () => root, path: '/unlock', component: () => <UnlockPage token={ticket.current} /> });
  const signedIn = createRoute({ getParentRoute: () => root, id: 'signed-in', component: Shell });
  const home = createRoute({
    getParentRoute: () => signedIn, path: '/',
    beforeLoad: () => { throw redirect({ to: '/account/security', replace: true }); },
  });
  const myProfile = createRoute({ getParentRoute: () => signedIn, path: '/account/profile', component: MyProfilePage });
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
  const people = createRoute({
    getParentRoute: () => signedIn, path: '/people', component: PeoplePage,
    validateSearch: listed,
  });
  const invite = createRoute({ getParentRoute: () => signedIn, path: '/people/invite', component: InvitePage });
  const newPerson = createRoute({ getParentRoute: () => signedIn, path: '/people/new', component: NewPersonPage });
  const person = createRoute({ getParentRoute: () => signedIn, path: '/people/$id', component: PersonPage });
  const groups = createRoute({
    getParentRoute: () => signedIn, path: '/groups', component: GroupsPage,
    validateSearch: listed,
  });
  const newGroup = createRoute({ getParentRoute: () => signedIn, path: '/groups/new', component: NewGroupPage });
  const groupImport = createRoute({ getParentRoute: () => signedIn, path: '/groups/import', component: ImportGroupPage });
  const group = createRoute({ getParentRoute: () => signedIn, path: '/groups/$id', component: GroupPage });
  const groupChange = createRoute({ getParentRoute: () => signedIn, path: '/groups/$id/change', component: GroupChangePage });
  const groupConfig = createRoute({ getParentRoute: () => signedIn, path: '/groups/$id/config', component: GroupConfigPage });
  const servers = createRoute({
    getParentRoute: () => signedIn, path: '/servers', component: ServersPage,
    validateSearch: listed,
  });
  const registerServer = createRoute({ getParentRoute: () => signedIn, path: '/servers/register', component: RegisterServerPage });
  const server = createRoute({ getParentRoute: () => signedIn, path: '/servers/$id', component: ServerPage });
  const reach = createRoute({ getParentRoute: () => signedIn, path: '/reach', component: ReachPage });
  const checkAccess = createRoute({ getParentRoute: () => signedIn, path: '/check-access', component: CheckAccessPage });
  const preferences = createRoute({ getParentRoute: () => signedIn, path: '/preferences', component: PreferencesPage });
  const tokens = createRoute({ getParentRoute: () => signedIn, path: '/preferences/tokens', component: TokensPage });
  const newToken = createRoute({ getParentRoute: () => signedIn, path: '/preferences/tokens/new', component: NewTokenPage });
  const token = createRoute({ getParentRoute: () => signedIn, path: '/preferences/tokens/$id', component: TokenPage });
  const roles = createRoute({
    getParentRoute: () => signedIn, path: '/roles', component: RolesPage,
    validateSearch: listed,
  });
  const newRole = createRoute({ getParentRoute: () => signedIn, path: '/roles/new', component: NewRolePage });
  const role = createRoute({ getParentRoute: () => signedIn, path: '/roles/$id', component: RolePage });
  const roleChange = createRoute({ getParentRoute: () => signedIn, path: '/roles/$id/change', component: RoleChangePage });
  const applications = createRoute({
    getParentRoute: () => signedIn, path: '/applications', component: ApplicationsPage,
    validateSearch: listed,
  });
  const newApplication = createRoute({ getParentRoute: () => signedIn, path: '/applications/new', component: NewApplicationPage });
  const application = createRoute({ getParentRoute: () => signedIn, path: '/applications/$id', component: ApplicationPage });
  const applicationChange = createRoute({ getParentRoute: () => signedIn, path: '/applications/$id/change', component: ApplicationChangePage });
  const device = createRoute({
    getParentRoute: () => signedIn, path: '/device', component: () => <DevicePage code={secretOf('/device')} />,
    validateSearch: (search: Record<string, unknown>): DeviceSearch => {
      const code = word(search['code']);
      return code ? { code } : {};
    },
  });
  const verify = createRoute({ getParentRoute: () => signedIn, path: '/verify', component: () => <VerifyPage token={secretOf('/verify')} /> });
  const router = createRouter({
    routeTree: root.addChildren([
      signIn, enrolment, change, forgot, invited, reset, confirm, undo, report, unlock,
      signedIn.addChildren([home, myProfile, mySecurity, mySessions, people, invite, newPerson, person, groups, newGroup, groupImport, group, groupChange, groupConfig, device, verify, security, audit,
        applications, newApplication, application, applicationChange,
        roles, newRole, role, roleChange,
        servers, registerServer, server, reach, checkAccess,
        preferences, tokens, newToken, token,
      ]),
    ]),
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
