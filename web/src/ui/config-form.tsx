import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { Group } from '../api/types';
import { ofConfig } from '../groups';
import { Field, FilledForm } from './fields';

// ConfigForm takes a group's configuration as YAML. What is wrong with it is
// shown with its line.
export function ConfigForm({ text, submit, apply, onApplied, more }: {
  text: string; submit: string; apply: (config: string) => Promise<Group>; onApplied: (g: Group) => Promise<void>; more?: ReactNode;
}) {
  const run = useMutation({
    mutationFn: (config: string) => apply(config).catch((failure: unknown) => { throw ofConfig(failure, config); }),
    onSuccess: onApplied,
  });
  return (
    <FilledForm submit={submit} label="Configuration" fields={['config']} pending={run.isPending} failure={run.error} more={more}
      onFill={(values) => run.mutate(values['config']?.replaceAll('\r\n', '\n') ?? '')}>
      <Field name="config" label="Configuration as YAML" autoComplete="off" defaultValue={text} lines={14} code
        hint="It has name, description, servers and permissions. A pattern that begins with a star is quoted." />
    </FilledForm>
  );
}
