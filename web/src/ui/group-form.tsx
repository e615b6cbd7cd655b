import { useState, type ReactNode } from 'react';

import type { GroupFields } from '../api/types';
import { accesses, chosenOf, groupOf } from '../groups';
import { Field, FilledForm, ListField } from './fields';

const fields = ['name', 'display_name', 'description', 'tags', 'server_patterns', 'permissions'];

// GroupForm takes what a group is and gives.
export function GroupForm({ of, submit, pending, failure, onFill, more }: {
  of: GroupFields; submit: string; pending: boolean; failure: unknown; onFill: (typed: GroupFields, values: Record<string, string>) => void; more?: ReactNode;
}) {
  const [chosen, setChosen] = useState(chosenOf(of.permissions));
  return (
    <FilledForm submit={submit} label="Group" fields={fields} pending={pending} failure={failure} more={more}
      onFill={(values) => onFill(groupOf(values, chosen), values)}>
      <Field name="name" label="Name" autoComplete="off" defaultValue={of.name} />
      <Field name="display_name" label="Display name" autoComplete="off" required={false} defaultValue={of.display_name} />
      <Field name="description" label="Description" autoComplete="off" required={false} defaultValue={of.description} lines={3} />
      <Field name="tags" label="Tags" autoComplete="off" required={false} defaultValue={of.tags} />
      <Field name="server_patterns" label="Servers" autoComplete="off" required={false} defaultValue={of.server_patterns.join('\n')} lines={4}
        hint="Names of servers, one a line. * stands for any characters: web-* means those that begin with web-." />
      <ListField name="permissions" label="What its members may do on them" choices={accesses} value={chosen} onChange={setChosen} />
    </FilledForm>
  );
}
