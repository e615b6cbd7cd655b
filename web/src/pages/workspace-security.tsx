import { useMutation, useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Switch } from 'react-aria-components';

import { patchSecurity, securitySettings } from '../api/calls';
import { Problem } from '../api/problem';
import type { SecuritySettings } from '../api/types';
import { choiceFields, patchOf, spans, timeouts } from '../settings';
import { spanText } from '../text';
import { useAnnounce } from '../ui/announce';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
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

function SettingsForm({ loaded }: { loaded: SecuritySettings }) {
  const announce = useAnnounce();
  const [now, setNow] = useState(loaded);
  const [required, setRequired] = useState(loaded.mfa_required);
  const [unusual, setUnusual] = useState(loaded.unusual_sign_in === true);
  const save = useMutation({
    mutationFn: async (values: Record<string, string>) => {
      const patch = patchOf(now, { ...values, mfa_required: required, unusual_sign_in: unusual });
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
      <FilledForm submit="Save" label="Security settings" fields={[...timeouts, ...choiceFields]} pending={save.isPending} failure={save.error}
        onFill={(values) => save.mutate(values)}>
        <Switch isSelected={required} onChange={setRequired}>
          <span className="track" aria-hidden="true" />{labels.mfa_required}
        </Switch>
        {loaded.unusual_sign_in !== undefined && (
          <Switch isSelected={unusual} onChange={setUnusual}>
            <span className="track" aria-hidden="true" />{labels.unusual_sign_in}
          </Switch>
        )}
        {timeouts.map((field) => {
          const seconds = loaded[field];
          return seconds !== undefined && (
            <Field key={field} name={field} label={labels[field]} autoComplete="off" inputMode="decimal"
              defaultValue={spanText(seconds, spans[field])} hint={hints[field]} />
          );
        })}
        {choiceFields.map((field) => {
          const value = loaded[field];
          return value !== undefined && <ChoiceField key={field} name={field} label={labels[field]} choices={choices[field]} defaultValue={value} />;
        })}
      </FilledForm>
    </>
  );
}

const labels = {
  mfa_required: 'Everybody must use a second factor',
  unusual_sign_in: 'Ask for a code at unusual sign-ins',
  mfa_timeout: 'Minutes that a verification counts',
  session_idle_timeout: 'Minutes until an unused session ends',
  session_absolute_timeout: 'Hours that a sign-in lasts at most',
  cli_login: 'How command lines sign in',
  password_check_failure: 'When a new password cannot be checked against known ones',
};

const hints = {
  mfa_timeout: 'After that, protected actions ask again. From 1 minute to 1 day (1440).',
  session_idle_timeout: 'Of browsers. From 5 minutes to 1 day (1440).',
  session_absolute_timeout: 'However much a session is used. From 1 hour to 30 days (720).',
};

const choices = {
  cli_login: [
    { value: 'browser', label: 'In the browser, with a code' },
    { value: 'legacy', label: 'With username and password' },
  ],
  password_check_failure: [
    { value: 'refuse', label: 'Refuse it' },
    { value: 'allow', label: 'Accept it' },
  ],
};

function ReadOnly({ settings }: { settings: SecuritySettings }) {
  const { unusual_sign_in: unusual } = settings;
  return (
    <>
      <Notice kind="info">Only superusers can change these settings.</Notice>
      <dl className="facts">
        <dt>{labels.mfa_required}</dt><dd>{settings.mfa_required ? 'yes' : 'no'}</dd>
        {unusual !== undefined && <><dt>{labels.unusual_sign_in}</dt><dd>{unusual ? 'yes' : 'no'}</dd></>}
        {timeouts.map((field) => {
          const seconds = settings[field];
          return seconds !== undefined && <Fragment key={field}><dt>{labels[field]}</dt><dd>{spanText(seconds, spans[field])}</dd></Fragment>;
        })}
        {choiceFields.map((field) => {
          const value = settings[field];
          return value !== undefined && (
            <Fragment key={field}><dt>{labels[field]}</dt><dd>{choices[field].find((c) => c.value === value)?.label ?? value}</dd></Fragment>
          );
        })}
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
