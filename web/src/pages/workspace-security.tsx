import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Switch } from 'react-aria-components';

import { patchSecurity, securitySettings } from '../api/calls';
import { Problem } from '../api/problem';
import type { SecurityPatch, SecuritySettings } from '../api/types';
import { minutesText, secondsOf } from '../text';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

export function WorkspaceSecurityPage() {
  // Read anew for each visit, and not behind the back of somebody who types.
  const settings = useQuery({ queryKey: ['settings', 'security'], queryFn: securitySettings, gcTime: 0, staleTime: Infinity });
  const person = useQuery(meQuery);
  return (
    <Page title="Workspace security">
      <Failure of={settings.error} />
      {settings.isPending && <Loading />}
      {settings.data && (
        <>
          {person.data?.is_superuser ? <SettingsForm loaded={settings.data} /> : <ReadOnly settings={settings.data} />}
          <Fixed settings={settings.data} />
        </>
      )}
    </Page>
  );
}

const badTimeout = new Problem(0, 'out_of_range', 'The value must be from 1 to 1440 minutes.', 'mfa_timeout');

function SettingsForm({ loaded }: { loaded: SecuritySettings }) {
  const announce = useAnnounce();
  const [now, setNow] = useState(loaded);
  const [required, setRequired] = useState(loaded.mfa_required);
  const save = useMutation({
    mutationFn: async (minutes: string) => {
      const patch = patchOf(now, required, minutes);
      if (patch instanceof Problem) throw patch;
      return patchSecurity(patch);
    },
    onSuccess: (saved) => {
      setNow(saved);
      announce('The settings were saved.');
    },
  });
  return (
    <>
      {save.isSuccess && <Notice kind="success">The settings were saved.</Notice>}
      <FilledForm submit="Save" label="Security settings" fields={['mfa_timeout']} pending={save.isPending} failure={save.error}
        onFill={(values) => save.mutate(values['mfa_timeout'] ?? '')}>
        <Switch isSelected={required} onChange={setRequired}>
          <span className="track" aria-hidden="true" />Everybody must use a second factor
        </Switch>
        <Field name="mfa_timeout" label="Minutes that a verification counts" autoComplete="off" inputMode="decimal"
          defaultValue={minutesText(loaded.mfa_timeout)}
          hint="After that, protected actions ask again. From 1 minute to 1 day (1440)." />
      </FilledForm>
    </>
  );
}

function ReadOnly({ settings }: { settings: SecuritySettings }) {
  return (
    <>
      <Notice kind="info">Only superusers can change these settings.</Notice>
      <dl className="facts">
        <dt>Everybody must use a second factor</dt><dd>{settings.mfa_required ? 'yes' : 'no'}</dd>
        <dt>Minutes that a verification counts</dt><dd>{minutesText(settings.mfa_timeout)}</dd>
      </dl>
    </>
  );
}

function Fixed({ settings }: { settings: SecuritySettings }) {
  return (
    <>
      <h2>Fixed settings</h2>
      <p className="quiet">These cannot be changed in this version.</p>
      <dl className="facts">
        <dt>Allowed methods</dt><dd>{listed(settings.allowed_mfa_methods)}</dd>
        <dt>Protected actions</dt><dd>{listed(settings.mfa_required_actions)}</dd>
        <dt>Passkey instead of password and code</dt><dd>{settings.passkey_as_mfa ? 'yes' : 'no'}</dd>
      </dl>
    </>
  );
}

const listed = (values: string[]) => values.map((v) => v.replaceAll('_', ' ')).join(', ') || 'none';

// patchOf returns what was changed, or the refusal of a timeout out of bounds.
export function patchOf(now: SecuritySettings, required: boolean, minutes: string): SecurityPatch | Problem {
  const patch: SecurityPatch = {};
  if (required !== now.mfa_required) patch.mfa_required = required;
  if (minutes !== minutesText(now.mfa_timeout)) {
    const seconds = secondsOf(minutes);
    if (seconds === null) return badTimeout;
    if (seconds !== now.mfa_timeout) patch.mfa_timeout = seconds;
  }
  return patch;
}
