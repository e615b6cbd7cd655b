import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { application, deleteApplication, patchApplication, type Application, type ApplicationPatch } from '../api/applications';
import { people } from '../api/people';
import { Problem } from '../api/problem';
import { scopesText } from '../applications';
import { instant, nameOf } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { meQuery } from '../ui/shell';
import { ApplicationRoles } from './application-roles';
import { ServiceTokens } from './application-tokens';

export const applicationQuery = (id: string) => ({ queryKey: ['application', id], queryFn: () => application(id) });

export function ApplicationPage() {
  const { id } = useParams({ from: '/signed-in/applications/$id' });
  const one = useQuery(applicationQuery(id));
  const back = <p><Link to="/applications" search={{}}>Back to applications</Link></p>;
  if (!one.data) return <Page title="Application">{back}<Failure of={one.error} />{one.isPending && <Loading />}</Page>;
  const a = one.data;
  return (
    <Page title={a.name}>
      {back}
      <dl className="facts">
        {a.description && <><dt>Description</dt><dd className="lines">{a.description}</dd></>}
        <dt>State</dt><dd>{a.enabled ? 'Enabled' : 'Disabled: none of its tokens opens anything'}</dd>
        <dt>Scopes</dt><dd>{scopesText(a.scopes)}</dd>
        <dt>Here since</dt><dd><Time at={a.added_at}>{instant(a.added_at)}</Time></dd>
      </dl>
      {a.allowed.includes('application:update') && <Switch of={a} />}
      <ApplicationRoles of={a} />
      {a.allowed.includes('service_token:read') && <ServiceTokens of={a} />}
      <Running of={a} />
      {a.allowed.includes('application:delete') && <Deletion of={a} />}
    </Page>
  );
}

// usePatch returns the changing of an application, of which said tells.
function usePatch(a: Application) {
  const announce = useAnnounce();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ patch }: { patch: ApplicationPatch; said: string; reset?: () => void }) => patchApplication(a.id, patch),
    onSuccess: async (after, { said, reset }) => {
      announce(said);
      reset?.();
      queries.setQueryData(['application', a.id], after);
      await Promise.all([queries.invalidateQueries({ queryKey: ['application', a.id] }), queries.invalidateQueries({ queryKey: ['applications'] })]);
    },
  });
}

function Switch({ of: a }: { of: Application }) {
  const change = usePatch(a);
  const enabled = (on: boolean) => change.mutate({ patch: { enabled: on }, said: on ? 'The application is enabled.' : 'The application is disabled.' });
  return (
    <>
      <Failure of={change.error} />
      <div className="actions">
        <Link className="button" to="/applications/$id/change" params={{ id: a.id }}>Change the application</Link>
        {a.enabled ? (
          <Confirmed label="Disable application" title={`Disable ${a.name}?`} act="Disable" onAct={() => enabled(false)}>
            <p>All its tokens end at their next request, for good. When it is enabled again, it needs new ones.</p>
          </Confirmed>
        ) : <Button onPress={() => enabled(true)}>Enable application</Button>}
      </div>
    </>
  );
}

// Running lists who runs an application. Who may look people up gives it away,
// and names managers.
function Running({ of: a }: { of: Application }) {
  const me = useQuery(meQuery);
  const change = usePatch(a);
  const name = useMutation({
    mutationFn: async ({ values, reset }: { values: Record<string, string>; reset: () => void }) => {
      const typed = values['user']?.trim() ?? '';
      const found = (await people(1, typed)).results[0];
      if (!found) throw new Problem(0, 'invalid_value', 'There is no such user.', 'user');
      const who = nameOf(found);
      return values['as'] === 'owner'
        ? { patch: { owner: found.id }, said: `${who} owns the application.`, reset }
        : { patch: { managers: [...a.managers.map((m) => m.id), found.id] }, said: `${who} manages the application.`, reset };
    },
    onSuccess: (asked) => change.mutate(asked),
  });
  const may = a.allowed.includes('application:update');
  return (
    <>
      <h2>Owner and managers</h2>
      {may && <Failure of={change.error} />}
      <ul className="cards" aria-label="Owner and managers">
        <li><div><strong>{a.owner.name || 'Somebody who is gone'}</strong><div className="quiet">{[a.owner.email, 'Owner'].filter(Boolean).join(', ')}</div></div></li>
        {a.managers.map((m) => (
          <li key={m.id}>
            <div><strong>{m.name || 'Somebody who is gone'}</strong><div className="quiet">{[m.email, 'Manager'].filter(Boolean).join(', ')}</div></div>
            {may && (
              <div className="actions">
                <Confirmed label="Remove" name={`Remove ${m.name}`} title={`Remove ${m.name}?`} act="Remove"
                  onAct={() => change.mutate({ patch: { managers: a.managers.filter((o) => o.id !== m.id).map((o) => o.id) }, said: `${m.name} no longer manages the application.` })}>
                  <p>{m.name} manages the application no more.</p>
                </Confirmed>
              </div>
            )}
          </li>
        ))}
      </ul>
      {may && me.data?.is_staff && (
        <FilledForm submit="Save who runs it" label="Who runs it" fields={['user', 'as']} pending={name.isPending || change.isPending} failure={name.error}
          onFill={(values, reset) => name.mutate({ values, reset })}>
          <Field name="user" label="Username or e-mail address" autoComplete="off" hint="The whole of it." />
          <ChoiceField name="as" label="As" defaultValue="manager" choices={[
            { value: 'manager', label: 'Manager: changes it and its tokens' }, { value: 'owner', label: 'Owner, in place of the present one' },
          ]} />
        </FilledForm>
      )}
    </>
  );
}

function Deletion({ of: a }: { of: Application }) {
  const announce = useAnnounce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteApplication(a.id),
    onSuccess: async () => {
      announce('The application was deleted.');
      await navigate({ to: '/applications', search: {} });
      queries.removeQueries({ queryKey: ['application', a.id] });
      await queries.invalidateQueries({ queryKey: ['applications'] });
    },
  });
  return (
    <>
      <h2>End of the application</h2>
      <Failure of={remove.error} />
      <Confirmed label="Delete application" title={`Delete ${a.name}?`} act="Delete" onAct={() => remove.mutate()}>
        <p>Its roles and tokens go with it. This cannot be undone.</p>
      </Confirmed>
    </>
  );
}
