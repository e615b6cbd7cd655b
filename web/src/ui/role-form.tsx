import { useState } from 'react';
import { Checkbox, CheckboxGroup, Label, Radio, RadioGroup } from 'react-aria-components';

import type { Permission, RoleFields } from '../api/roles';
import { byResource, everywhere, roleOf, words } from '../roles';
import { Field, FilledForm, useRefusal } from './fields';

const fields = ['name', 'description', 'permissions', 'scope', 'objects'];

// RoleForm takes what a role is called, permits, and where it counts.
export function RoleForm({ of, catalogue, submit, pending, failure, onFill }: {
  of: RoleFields; catalogue: Permission[]; submit: string; pending: boolean; failure: unknown; onFill: (typed: RoleFields) => void;
}) {
  const [chosen, setChosen] = useState(of.permissions);
  const [named, setNamed] = useState(!everywhere(of));
  const [own, setOwn] = useState<unknown>(null); // what the form itself refuses
  const filled = (values: Record<string, string>) => {
    setOwn(null);
    try {
      onFill(roleOf(values, chosen));
    } catch (refusal) {
      setOwn(refusal);
    }
  };
  return (
    <FilledForm submit={submit} label="Role" fields={fields} pending={pending} failure={own ?? failure} onFill={filled}>
      <Field name="name" label="Name" autoComplete="off" defaultValue={of.name} />
      <Field name="description" label="Description" autoComplete="off" required={false} defaultValue={of.description} lines={3} />
      <RadioGroup name="where" value={named ? 'named' : 'everywhere'} onChange={(where) => setNamed(where === 'named')}>
        <Label>Where it counts</Label>
        <Radio value="everywhere"><span className="dot" aria-hidden="true" />Everywhere</Radio>
        <Radio value="named"><span className="dot" aria-hidden="true" />On what is named</Radio>
      </RadioGroup>
      {named && (
        <>
          <Field name="scope" label="Names" autoComplete="off" required={false} defaultValue={of.scope.patterns.join('\n')} lines={3}
            hint="Patterns of names of servers, groups, people and applications, one a line. * stands for any characters." />
          <Field name="objects" label="Objects" autoComplete="off" required={false} defaultValue={of.scope.objects.join('\n')} lines={3}
            hint="Ids of servers, groups, people and applications, one a line." />
        </>
      )}
      <PermissionsField catalogue={catalogue} value={chosen} onChange={setChosen} />
    </FilledForm>
  );
}

// PermissionsField takes permissions of the catalogue, by resource.
function PermissionsField({ catalogue, value, onChange }: { catalogue: Permission[]; value: string[]; onChange: (value: string[]) => void }) {
  const refusal = useRefusal('permissions');
  return (
    <div role="group" aria-label="Permissions" data-fields="permissions">
      <h2>Permissions</h2>
      {refusal && <p className="react-aria-FieldError" role="alert">{refusal}</p>}
      {byResource(catalogue).map(({ resource, permissions }) => (
        <CheckboxGroup key={resource} className="react-aria-CheckboxGroup beside-each" value={value.filter((p) => p.startsWith(`${resource}:`))}
          onChange={(next) => onChange([...value.filter((p) => !p.startsWith(`${resource}:`)), ...next])}>
          <Label>{words(resource)}</Label>
          {permissions.map((p) => (
            <Checkbox key={p.permission} value={p.permission} aria-label={p.permission}><span className="box" aria-hidden="true" />{words(p.action)}</Checkbox>
          ))}
        </CheckboxGroup>
      ))}
    </div>
  );
}
