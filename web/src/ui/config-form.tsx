import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';

import type { Impact } from '../api/roles';
import type { Group } from '../api/types';
import { ofConfig } from '../groups';
import { Field, FilledForm } from './fields';
import { ForeseenDialog, previewLabel } from './impact';

type Look = (config: string) => Promise<Impact>;

// ConfigForm takes a group's configuration as YAML. What is wrong with it is
// shown with its line; with look, what it means for people.
export function ConfigForm({ text, submit, apply, look, onApplied, more }: {
  text: string; submit: string; apply: (config: string) => Promise<Group>; look?: Look;
  onApplied: (g: Group) => Promise<void>; more?: ReactNode;
}) {
  const [foreseen, setForeseen] = useState<{ config: string; impact: Impact } | null>(null);
  const told = (config: string) => (failure: unknown) => { throw ofConfig(failure, config); };
  const run = useMutation({ mutationFn: (config: string) => apply(config).catch(told(config)), onSuccess: onApplied });
  const preview = useMutation({
    mutationFn: async ({ config, by }: { config: string; by: Look }) => ({ config, impact: await by(config).catch(told(config)) }),
    onSuccess: setForeseen,
  });
  const filled = (values: Record<string, string>) => {
    run.reset();
    preview.reset();
    const config = values['config']?.replaceAll('\r\n', '\n') ?? '';
    if (look && values['act'] === 'preview') preview.mutate({ config, by: look });
    else run.mutate(config);
  };
  return (
    <>
      <FilledForm submit={submit} label="Configuration" fields={['config']} pending={run.isPending || preview.isPending} failure={run.error ?? preview.error} onFill={filled}
        more={<>{look && <Button type="submit" name="act" value="preview">{previewLabel}</Button>}{more}</>}>
        <Field name="config" label="Configuration as YAML" autoComplete="off" defaultValue={text} lines={14} code
          hint="It has name, description, servers and permissions. A pattern that begins with a star is quoted." />
      </FilledForm>
      {foreseen && (
        <ForeseenDialog title="Apply the configuration?" of={foreseen.impact} act="Apply" onCancel={() => setForeseen(null)}
          onAct={() => { setForeseen(null); run.mutate(foreseen.config); }} />
      )}
    </>
  );
}
