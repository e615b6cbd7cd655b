import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';

import { patchPerson, person } from '../api/people';
import type { User, UserPatch } from '../api/types';
import { instant, methodName, nameOf, roleName, roleOf } from '../text';
import { EmailChange } from '../ui/email-change';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { ProfileForm } from '../ui/profile-form';
import { meQuery } from '../ui/shell';
import { PersonMethods, PersonRole, PersonState } from './person-account';
import { PersonGroups } from './person-groups';
import { PersonSessions } from './person-sessions';
import { PersonTokens } from './person-tokens';
import { Reach } from './reach';

export function PersonPage() {
  const { id } = useParams({ from: '/signed-in/people/$id' });
  return <Person key={id} id={id} />;
}

function Person({ id }: { id: string }) {
  const queries = useQueryClient();
  const me = useQuery(meQuery);
  const one = useQuery({ queryKey: ['person', id], queryFn: () => person(id) });
  const save = async (p: UserPatch) => {
    const after = await patchPerson(id, p);
    queries.setQueryData(['person', id], after);
    void queries.invalidateQueries({ queryKey: ['people'] });
    if (id === me.data?.id) void queries.invalidateQueries({ queryKey: meQuery.queryKey });
    return after;
  };
  const back = <p><Link to="/people" search={{}}>Back to people</Link></p>;
  if (!one.data || !me.data) return <Page title="Person">{back}<Failure of={one.error} />{one.isPending && <Loading />}</Page>;
  const user = one.data;
  const own = user.id === me.data.id;
  const guarded = user.is_superuser && !me.data.is_superuser;
  return (
    <Page title={nameOf(user)}>
      {back}
      <Facts of={user} />
      {guarded ? <Notice kind="info">Only a superuser may change the account of a superuser.</Notice> : (
        <>
          <h2>Profile</h2>
          <ProfileForm of={user} own={own} save={save} />
          <h2>E-mail address</h2>
          <EmailChange of={user} save={(email) => save({ email })} />
          {me.data.is_superuser && <PersonRole of={user} save={save} />}
          {!own && <PersonMethods of={user} />}
          <PersonState of={user} own={own} save={save} />
        </>
      )}
      <PersonGroups id={id} name={nameOf(user)} />
      <h2>What {own ? 'you reach' : 'this person can reach'}, and why</h2>
      <Reach of={{ user: id }} none="No server." />
      {own ? (
        <><h2>API tokens</h2><p>Yours are on the page <Link to="/preferences/tokens">API tokens</Link>.</p></>
      ) : <PersonTokens id={id} name={nameOf(user)} guarded={guarded} />}
      {own ? (
        <><h2>Sessions</h2><p>Yours are on the page <Link to="/account/sessions">My sessions</Link>.</p></>
      ) : <PersonSessions id={id} name={nameOf(user)} guarded={guarded} />}
    </Page>
  );
}

function Facts({ of: user }: { of: User }) {
  return (
    <dl className="facts">
      <dt>State</dt><dd>{user.is_active ? 'active' : 'disabled'}</dd>
      <dt>Role</dt><dd>{roleName(roleOf(user))}</dd>
      <dt>Username</dt><dd>{user.username || 'none yet'}</dd>
      <dt>Number on servers</dt><dd>{user.uid}</dd>
      <dt>Sign-in methods</dt><dd>{[...new Set(user.mfa_methods)].map(methodName).join(', ') || 'password only'}</dd>
      <dt>Here since</dt><dd><Time at={user.date_joined}>{instant(user.date_joined)}</Time></dd>
      {user.temporary_password_until && <><dt>Temporary password until</dt><dd>{instant(user.temporary_password_until)}</dd></>}
    </dl>
  );
}
