import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from 'react-aria-components';

import {
  addServiceRule, deleteServiceToken, makeServiceToken, removeServiceRule, serviceRules, serviceTokens, switchServiceToken,
  type Application, type MadeServiceToken, type ServiceRule, type ServiceToken,
} from '../api/applications';
import { client } from '../api/calls';
import { Problem } from '../api/problem';
import type { NumberedPage } from '../api/types';
import { ruleSays, scopesOf, tokenSays } from '../applications';
import { instantOf } from '../groups';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';

// ServiceTokens lists the tokens of an application. The key of a new one is shown
// until it is put away, and never again.
export function ServiceTokens({ of: a }: { of: Application }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [made, setMade] = useState<MadeServiceToken | null>(null);
  const list = useQuery({ queryKey: ['application', a.id, 'tokens'], queryFn: () => serviceTokens(a.id) });
  const changed = (said: string) => {
    announce(said);
    return queries.invalidateQueries({ queryKey: ['application', a.id, 'tokens'] });
  };
  const turn = useMutation({
    mutationFn: ({ token, on }: { token: ServiceToken; on: boolean }) => switchServiceToken(a.id, token.id, on),
    onSuccess: (t, { on }) => changed(`The token ${t.name} is ${on ? 'enabled' : 'disabled'}.`),
  });
  const remove = useMutation({
    mutationFn: (t: ServiceToken) => deleteServiceToken(a.id, t.id),
    onSuccess: (_, t) => {
      if (made?.id === t.id) setMade(null);
      return changed(`The token ${t.name} was deleted.`);
    },
  });
  const may = (action: string) => a.allowed.includes(`service_token:${action}`);
  return (
    <>
      <h2>Tokens</h2>
      <Failure of={list.error ?? turn.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.data?.count === 0 && <p className="quiet">It has no token.</p>}
      {made && <Key of={made} onPut={() => setMade(null)} />}
      <ul className="cards" aria-label="Tokens">
        {list.data?.results.map((t) => (
          <li key={t.id}>
            <div>
              <strong>{t.name}</strong>{' '}
              {!t.enabled && <span className="tag">opens nothing</span>}
              <div className="quiet">{tokenSays(t, a)}</div>
              <Rules app={a} token={t} may={may('update')} />
            </div>
            <div className="actions">
              {may('update') && !t.ended && a.enabled && (t.enabled
                ? <Button aria-label={`Disable ${t.name}`} onPress={() => turn.mutate({ token: t, on: false })}>Disable</Button>
                : <Button aria-label={`Enable ${t.name}`} onPress={() => turn.mutate({ token: t, on: true })}>Enable</Button>)}
              {may('delete') && (
                <Confirmed label="Delete" name={`Delete ${t.name}`} title={`Delete ${t.name}?`} act="Delete" onAct={() => remove.mutate(t)}>
                  <p>Whatever uses it is refused at the next request.</p>
                </Confirmed>
              )}
            </div>
          </li>
        ))}
      </ul>
      {may('create') && a.enabled ? <Making of={a} onMade={(t) => { setMade(t); return changed(`The token ${t.name} was made. Its key is shown now.`); }} />
        : may('create') ? <p className="quiet">A disabled application gets no tokens.</p>
          : <p className="quiet">Tokens are made by who holds all that its roles hold.</p>}
    </>
  );
}

// Key shows the key of a new token, which is never shown again.
function Key({ of: t, onPut }: { of: MadeServiceToken; onPut: () => void }) {
  const announce = useAnnounce();
  const copy = () => navigator.clipboard.writeText(t.key).then(
    () => announce('The key was copied.'),
    () => announce('The browser does not let the console copy. Select the key and copy it.'),
  );
  return (
    <section aria-label={`Key of ${t.name}`}>
      <Notice kind="warning">
        <p>The key of {t.name}. It is shown now and never again: put it where the application finds it.</p>
        <pre className="scroll" tabIndex={0} role="group" aria-label="Key">{t.key}</pre>
        <div className="actions">
          <Button onPress={copy}>Copy</Button>
          <Button onPress={onPut}>I put it away</Button>
        </div>
      </Notice>
    </section>
  );
}

function Making({ of: a, onMade }: { of: Application; onMade: (t: MadeServiceToken) => Promise<void> }) {
  const make = useMutation({
    mutationFn: ({ values }: { values: Record<string, string>; reset: () => void }) => {
      const end = instantOf(values['expires_at'] ?? '');
      return makeServiceToken(a.id, { name: values['name']?.trim() ?? '', scopes: scopesOf(values['scopes'] ?? ''), ...(end ? { expires_at: end } : {}) });
    },
    onSuccess: (t, { reset }) => {
      reset();
      return onMade(t);
    },
  });
  return (
    <FilledForm submit="Make token" label="Make a token" fields={['name', 'expires_at', 'scopes']} pending={make.isPending} failure={make.error}
      onFill={(values, reset) => make.mutate({ values, reset })}>
      <Field name="name" label="Name of the token" autoComplete="off" hint="Where it is used. Several may be good at once, so that a new one takes the place of an old one." />
      <Field name="expires_at" label="Token ends" type="datetime-local" autoComplete="off" required={false} hint="In the time of this device. Empty: it does not end." />
      <Field name="scopes" label="Narrower scopes" autoComplete="off" required={false} lines={2} hint="One a line. Empty: those of the application." />
    </FilledForm>
  );
}

// serverNamed returns the server with exactly this name, undefined for none.
const serverNamed = async (name: string) =>
  (await client.request<NumberedPage<{ id: string }>>('GET', `/api/servers/servers/?${new URLSearchParams({ name })}`)).results[0];

// Rules lists what a token reaches: without a rule of a server it reaches none.
function Rules({ app, token, may }: { app: Application; token: ServiceToken; may: boolean }) {
  const [open, setOpen] = useState(false);
  const queries = useQueryClient();
  const announce = useAnnounce();
  const key = ['application', app.id, 'rules', token.id];
  const list = useQuery({ queryKey: key, queryFn: () => serviceRules(app.id, token.id), enabled: open });
  const changed = (said: string) => {
    announce(said);
    return queries.invalidateQueries({ queryKey: key });
  };
  const add = useMutation({
    mutationFn: async ({ values }: { values: Record<string, string>; reset: () => void }) => {
      const server = await serverNamed(values['server']?.trim() ?? '');
      if (!server) throw new Problem(0, 'invalid_value', 'There is no such server.', 'server');
      return addServiceRule(app.id, token.id, 'server', { server: server.id });
    },
    onSuccess: (_, { reset }) => {
      reset();
      return changed('The token reaches the server.');
    },
  });
  const remove = useMutation({
    mutationFn: (r: ServiceRule) => removeServiceRule(app.id, token.id, r.id),
    onSuccess: () => changed('The rule was taken away.'),
  });
  const toggle = <Button className="plain" aria-expanded={open} aria-label={`What it reaches: ${token.name}`} onPress={() => setOpen(!open)}>What it reaches</Button>;
  if (!open) return toggle;
  return (
    <>
      {toggle}
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.data && !list.data.results.some((r) => r.kind === 'server') && <p className="quiet">No server: it needs a rule for each.</p>}
      <ul aria-label={`Rules of ${token.name}`}>
        {list.data?.results.map((r) => (
          <li key={r.id}>
            {ruleSays(r)}{' '}
            {may && <Button className="plain" aria-label={`Take away: ${ruleSays(r)}`} onPress={() => remove.mutate(r)}>Take away</Button>}
          </li>
        ))}
      </ul>
      {may && (
        <FilledForm submit="Add server" label={`Servers of ${token.name}`} fields={['server']} pending={add.isPending} failure={add.error}
          onFill={(values, reset) => add.mutate({ values, reset })}>
          <Field name="server" label="Server" autoComplete="off" hint="Its name." />
        </FilledForm>
      )}
    </>
  );
}
