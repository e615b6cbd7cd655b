import { useMutation } from '@tanstack/react-query';

import { checkWork, type WorkAnswer } from '../api/access';
import type { Server } from '../api/servers';
import { workOf, works } from '../servers';
import { instant } from '../text';
import { useAnnounce } from './announce';
import { Field, FilledForm } from './fields';
import { Notice } from './notice';
import { Time } from './page';
import { SelectField } from './select-field';

// WorkCheck asks whether one may work on a server now, as whom, and verifies a
// second factor where the workspace asks for it.
export function WorkCheck({ of: s }: { of: Server }) {
  const announce = useAnnounce();
  const ask = useMutation({
    mutationFn: (values: Record<string, string>) => checkWork(workOf(s.id, values)),
    onSuccess: (answer) => announce(`You may work as ${answer.username}.`),
  });
  return (
    <>
      <h2>May you work here?</h2>
      <p>Whether you may do something on this server now, as which account.</p>
      <FilledForm submit="Ask" label="Work" fields={['username', 'line', 'path']} pending={ask.isPending} failure={ask.error} onFill={(values) => ask.mutate(values)}>
        <SelectField name="work" label="Work" defaultValue="websh" choices={works} />
        <Field name="username" label="Account" autoComplete="off" required={false} hint="Empty: your own; root for a Deploy shell." />
        <Field name="line" label="Command line" autoComplete="off" required={false} hint="Of a command only." />
        <Field name="path" label="Path" autoComplete="off" required={false} hint="Of files and folders only, from / on." />
      </FilledForm>
      {ask.data && !ask.isPending && <Notice kind="success"><Allowed of={ask.data} /></Notice>}
    </>
  );
}

function Allowed({ of: a }: { of: WorkAnswer }) {
  return (
    <>
      You may work as <strong>{a.username}</strong>{a.system_account ? ', a system account' : ', your own account'}.
      {a.verified_until && <> Your verification counts until <Time at={a.verified_until}>{instant(a.verified_until)}</Time>.</>}
    </>
  );
}
