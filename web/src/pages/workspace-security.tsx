import { useMutation, useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { Switch } from 'react-aria-components';

import { patchSecurity, previewSecurity, securitySettings } from '../api/calls';
import { Problem } from '../api/problem';
import type { PolicyImpact, SecurityPatch, SecuritySettings } from '../api/types';
import { choiceFields, isPolicy, listFields, patchOf, spans, switchFields, timeouts, type Lists, type Switches } from '../settings';
import { methodName, spanText } from '../text';
import { useAnnounce } from '../ui/announce';
import { ChoiceField, Field, FilledForm, ListField } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { ImpactDialog } from '../ui/policy-impact';
import { meQuery } from '../ui/shell';

export function WorkspaceSecurityPage() {
  // Read anew for each visit, and not behind the back of somebody who types.
  const settings = useQuery({ queryKey: ['settings', 'security'], queryFn: securitySettings, gcTime: 0, staleTime: Infinity });
  const person = useQuery(meQuery);
  return (
    <Page title="Workspace security">
      <Failure of={settings.error} />
      {settings.isPending && <Loading />}
      {settings.data && (person.data?.is_superuser ? <SettingsForm loaded={settings.data} /> : <ReadOnly settings={settings.data} />)}
    </Page>
  );
}

function SettingsForm({ loaded }: { loaded: SecuritySettings }) {
  const announce = useAnnounce();
  const [now, setNow] = useState(loaded);
  const [switches, setSwitches] = useState(switchesOf(loaded));
  const [lists, setLists] = useState(listsOf(loaded));
  const [weighed, setWeighed] = useState<{ patch: SecurityPatch; impact: PolicyImpact } | null>(null);
  const save = useMutation({
    mutationFn: patchSecurity,
    onSuccess: (saved) => {
      setNow(saved);
      setSwitches(switchesOf(saved));
      setLists(listsOf(saved));
      announce('The settings were saved.');
    },
  });
  // A change of the policy is looked at before it is made.
  const begin = useMutation({
    mutationFn: async (values: Record<string, string>) => {
      const patch = patchOf(now, { ...values, ...switches, ...lists });
      if (patch instanceof Problem) throw patch;
      return { patch, impact: isPolicy(patch) ? await previewSecurity(patch) : null };
    },
    onMutate: () => save.reset(),
    onSuccess: ({ patch, impact }) => (impact ? setWeighed({ patch, impact }) : save.mutate(patch)),
  });
  return (
    <>
      {save.isSuccess && <Notice kind="success">The settings were saved.</Notice>}
      <FilledForm submit="Save" label="Security settings" fields={[...timeouts, ...choiceFields, ...listFields, 'hardware_key_models']}
        pending={begin.isPending || save.isPending} failure={begin.error ?? save.error} onFill={(values) => begin.mutate(values)}>
        {switchFields.map((field) => switches[field] !== undefined && (
          <Switch key={field} isSelected={switches[field]} onChange={(on) => setSwitches({ ...switches, [field]: on })}>
            <span className="track" aria-hidden="true" />{labels[field]}
          </Switch>
        ))}
        {listFields.map((field) => {
          const value = lists[field];
          return value !== undefined && (
            <ListField key={field} name={field} label={labels[field]} hint={listHints[field]} choices={listChoices[field]}
              value={value} onChange={(chosen) => setLists({ ...lists, [field]: chosen })} />
          );
        })}
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
        {loaded.hardware_key_models !== undefined && (
          <Field name="hardware_key_models" label={labels.hardware_key_models} autoComplete="off" required={false} lines={3}
            defaultValue={loaded.hardware_key_models.join('\n')} hint="Their AAGUIDs, one a line. None: any model." />
        )}
      </FilledForm>
      {weighed && (
        <ImpactDialog patch={weighed.patch} of={weighed.impact} onCancel={() => setWeighed(null)} onSave={() => {
          setWeighed(null);
          const { affected_count: count } = weighed.impact;
          save.mutate(count > 0 ? { ...weighed.patch, acknowledge_affected: count } : weighed.patch);
        }} />
      )}
    </>
  );
}

// switchesOf and listsOf return the settings of the two kinds that this version
// has.
function switchesOf(s: SecuritySettings): Switches {
  return Object.fromEntries(switchFields.filter((f) => s[f] !== undefined).map((f) => [f, s[f]]));
}

function listsOf(s: SecuritySettings): Lists {
  return Object.fromEntries(listFields.filter((f) => s[f] !== undefined).map((f) => [f, s[f]]));
}

const labels = {
  mfa_required: 'Everybody must use a second factor',
  passkey_as_mfa: 'A passkey signs in without a password',
  unusual_sign_in: 'Ask for a code at unusual sign-ins',
  notify_step_up: 'Mail people each verification of theirs',
  allowed_mfa_methods: 'Allowed methods',
  step_up_methods: 'Methods that open protected actions',
  mfa_required_actions: 'Protected actions',
  mfa_timeout: 'Minutes that a verification counts',
  session_idle_timeout: 'Minutes until an unused session ends',
  session_absolute_timeout: 'Hours that a sign-in lasts at most',
  cli_login: 'How command lines sign in',
  password_check_failure: 'When a new password cannot be checked against known ones',
  sign_count_regression: 'When a key counts backwards, as a copy of it would',
  hardware_key_models: 'Allowed models of security keys',
};

const hints = {
  mfa_timeout: 'After that, protected actions ask again. From 1 minute to 1 day (1440).',
  session_idle_timeout: 'Of browsers. From 5 minutes to 1 day (1440).',
  session_absolute_timeout: 'However much a session is used. From 1 hour to 30 days (720).',
};

const listHints = {
  allowed_mfa_methods: 'You see whom it affects before it is saved.',
  step_up_methods: 'None chosen: each that is allowed. A recovery code never does.',
  mfa_required_actions: 'They ask for a verification each time the last one is too old.',
};

const methods = ['hardware_key', 'biometric', 'otp', 'email', 'phone', 'recovery_code'].map((value) => ({ value, label: methodName(value) }));

const listChoices = {
  allowed_mfa_methods: methods,
  step_up_methods: methods.filter((m) => m.value !== 'recovery_code'),
  mfa_required_actions: [
    { value: 'websh', label: 'Terminal in the browser' },
    { value: 'webftp', label: 'Files in the browser' },
    { value: 'command', label: 'Commands' },
    { value: 'editor', label: 'Code editor' },
    { value: 'deploy_shell', label: 'Deploy shell' },
    { value: 'server', label: 'Server actions' },
  ],
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
  sign_count_regression: [
    { value: 'refuse', label: 'Refuse its answer' },
    { value: 'report', label: 'Take its answer and tell its owner' },
  ],
};

function ReadOnly({ settings }: { settings: SecuritySettings }) {
  const facts: [string, string | undefined][] = [
    ...switchFields.map((f): [string, string | undefined] => [labels[f], settings[f] === undefined ? undefined : settings[f] ? 'yes' : 'no']),
    ...listFields.map((f): [string, string | undefined] => [labels[f], settings[f] && listed(settings[f], listChoices[f], f === 'step_up_methods' ? 'each that is allowed' : 'none')]),
    ...timeouts.map((f): [string, string | undefined] => [labels[f], settings[f] === undefined ? undefined : spanText(settings[f], spans[f])]),
    ...choiceFields.map((f): [string, string | undefined] => [labels[f], choices[f].find((c) => c.value === settings[f])?.label ?? settings[f]]),
    [labels.hardware_key_models, settings.hardware_key_models && (settings.hardware_key_models.join(', ') || 'any')],
  ];
  return (
    <>
      <Notice kind="info">Only superusers can change these settings.</Notice>
      <dl className="facts">
        {facts.map(([label, value]) => value !== undefined && <Fragment key={label}><dt>{label}</dt><dd>{value}</dd></Fragment>)}
      </dl>
    </>
  );
}

const listed = (values: string[], of: { value: string; label: string }[], none: string) =>
  values.map((v) => of.find((c) => c.value === v)?.label ?? v).join(', ') || none;
