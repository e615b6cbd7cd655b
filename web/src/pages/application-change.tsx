import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';

import { makeApplication, patchApplication, type Application, type ApplicationFields } from '../api/applications';
import { applicationChanges, applicationOf, noApplication } from '../applications';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { applicationQuery } from './application';

function ApplicationForm({ of, submit, pending, failure, onFill }: {
  of: ApplicationFields; submit: string; pending: boolean; failure: unknown; onFill: (typed: ApplicationFields) => void;
}) {
  return (
    <FilledForm submit={submit} label="Application" fields={['name', 'description', 'scopes']} pending={pending} failure={failure}
      onFill={(values) => onFill(applicationOf(values))}>
      <Field name="name" label="Name" autoComplete="off" defaultValue={of.name} />
      <Field name="description" label="Description" autoComplete="off" required={false} defaultValue={of.description} lines={3} />
      <Field name="scopes" label="Scopes" autoComplete="off" defaultValue={of.scopes.join('\n')} lines={4}
        hint="What it may at most, one a line: server:read, group:write, or * for everything that applications may. Its roles say what of that it has." />
    </FilledForm>
  );
}

// useSaved returns what follows when an application was made or changed.
function useSaved(said: (a: Application) => string) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return async (a: Application) => {
    announce(said(a));
    queries.setQueryData(['application', a.id], a);
    await queries.invalidateQueries({ queryKey: ['applications'] });
    await navigate({ to: '/applications/$id', params: { id: a.id } });
  };
}

export function NewApplicationPage() {
  const make = useMutation({ mutationFn: makeApplication, onSuccess: useSaved((a) => `The application ${a.name} was made.`) });
  return (
    <Page title="Make an application">
      <ApplicationForm of={noApplication} submit="Make application" pending={make.isPending} failure={make.error} onFill={(typed) => make.mutate(typed)} />
      <p><Link to="/applications" search={{}}>Back to applications</Link></p>
    </Page>
  );
}

export function ApplicationChangePage() {
  const { id } = useParams({ from: '/signed-in/applications/$id/change' });
  const one = useQuery({ ...applicationQuery(id), queryKey: ['application change', id], gcTime: 0, staleTime: Infinity });
  return (
    <Page title="Change the application">
      <p><Link to="/applications/$id" params={{ id }}>Back to the application</Link></p>
      <Failure of={one.error} />
      {one.isPending && <Loading />}
      {one.data && (one.data.allowed.includes('application:update') ? <Change of={one.data} /> : <Notice kind="info">You may not change this application.</Notice>)}
    </Page>
  );
}

function Change({ of: a }: { of: Application }) {
  const change = useMutation({
    mutationFn: (typed: ApplicationFields) => patchApplication(a.id, applicationChanges(a, typed)),
    onSuccess: useSaved(() => 'The application was saved.'),
  });
  return <ApplicationForm of={a} submit="Save" pending={change.isPending} failure={change.error} onFill={(typed) => change.mutate(typed)} />;
}
