import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { serverNamed } from '../api/servers';
import { addRule, commandRules, fileRules, removeRule, ruledServers, type RuleKind, type Token } from '../api/tokens';
import { named, unknownName } from '../servers';
import { asText, fileRuleText } from '../tokens';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';

// TokenRules lists and changes what a token reaches: without rules, nothing.
export function TokenRules({ of: t }: { of: Token }) {
  return (
    <>
      <h2>Rules</h2>
      <Notice kind="info">
        <p>What no rule names is refused: without rules the token reaches no server, runs no command and moves no file, whatever its scopes say.</p>
      </Notice>
      <Rules of={t} kind="server" title="Servers" none="It reaches no server." load={ruledServers}
        says={(r) => r.server.name || 'a server that is gone'}
        ruleOf={async (values) => {
          const name = values['server']?.trim() ?? '';
          const found = await serverNamed(name);
          if (!found) throw unknownName('server', name, 'server');
          return { server: found.id };
        }}
        fields={['server']}>
        <Field name="server" label="Name of the server" autoComplete="off" hint="The whole of it. Patterns are not taken: a new server is in no token's reach." />
      </Rules>
      <Rules of={t} kind="command" title="Commands" none="It runs no command." load={commandRules}
        says={(r) => [r.command, asText(r)].filter(Boolean).join(', ')}
        ruleOf={async (values) => ({ command: values['command'] ?? '', ...account(values) })}
        fields={['command', 'username', 'groupname']}>
        <Field name="command" label="Command line" autoComplete="off"
          hint="* stands for any characters, but for those by which a shell does something else." />
        <Account />
      </Rules>
      <Rules of={t} kind="file" title="Files" none="It moves no file." load={fileRules}
        says={(r) => [fileRuleText(r), asText(r)].filter(Boolean).join(', ')}
        ruleOf={async (values) => ({ path: values['path']?.trim() ?? '', action: values['action'] ?? '*', ...account(values) })}
        fields={['path', 'action', 'username', 'groupname']}>
        <Field name="path" label="Path" autoComplete="off" hint="* stays within one folder, ** goes below it too." />
        <ChoiceField name="action" label="Which way" defaultValue="download"
          choices={[{ value: 'download', label: 'Fetch' }, { value: 'upload', label: 'Send' }, { value: '*', label: 'Both' }]} />
        <Account />
      </Rules>
    </>
  );
}

function Account() {
  return (
    <>
      <Field name="username" label="As account" autoComplete="off" required={false} hint="Empty: your own." />
      <Field name="groupname" label="As group of the system" autoComplete="off" required={false} />
    </>
  );
}

function account(values: Record<string, string>): { username?: string; groupname?: string } {
  const [username, groupname] = [values['username']?.trim(), values['groupname']?.trim()];
  return { ...(username ? { username } : {}), ...(groupname ? { groupname } : {}) };
}

interface RulesProps<T> {
  of: Token;
  kind: RuleKind;
  title: string;
  none: string;
  load: (token: string) => Promise<T[]>;
  says: (rule: T) => string;
  ruleOf: (values: Record<string, string>) => Promise<object>;
  fields: string[];
  children: ReactNode; // the fields of a new one
}

function Rules<T extends { id: string }>({ of: t, kind, title, none, load, says, ruleOf, fields, children }: RulesProps<T>) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const key = ['token', t.id, kind];
  const list = useQuery({ queryKey: key, queryFn: () => load(t.id) });
  const changed = (what: string) => {
    announce(what);
    return queries.invalidateQueries({ queryKey: key });
  };
  const add = useMutation({
    mutationFn: async ({ values }: { values: Record<string, string>; reset: () => void }) => addRule(kind, { token: t.id, ...(await ruleOf(values)) }),
    onSuccess: (_, { reset }) => {
      reset();
      return changed('The rule was added.');
    },
  });
  const remove = useMutation({ mutationFn: (r: T) => removeRule(kind, r.id), onSuccess: () => changed('The rule was removed.') });
  return (
    <>
      <h3>{title}</h3>
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.data?.length === 0 && <p>{none}</p>}
      <ul className="cards" aria-label={title}>
        {list.data?.map((r) => (
          <li key={r.id}>
            <code>{says(r)}</code>
            <Confirmed label="Remove" name={`Remove ${says(r)}`} title="Remove this rule?" act="Remove" onAct={() => remove.mutate(r)}>
              <p>At the next request the token is refused what only this rule names: <code>{says(r)}</code>.</p>
            </Confirmed>
          </li>
        ))}
      </ul>
      <details className="filters">
        <summary>Add a rule of {title.toLowerCase()}</summary>
        <FilledForm submit={`Add rule of ${title.toLowerCase()}`} label={`Rule of ${title.toLowerCase()}`} fields={fields} pending={add.isPending} failure={named(add.error, { token: fields[0] ?? '' })}
          onFill={(values, reset) => add.mutate({ values, reset })}>
          {children}
        </FilledForm>
      </details>
    </>
  );
}
