import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { groupNamed } from '../api/groups';
import {
  ansibleGuide, deleteRegistrationToken, installGuide, makeRegistrationToken, registrationTokens,
  type AnsibleGuide, type InstallGuide, type MadeRegistrationToken, type RegistrationToken,
} from '../api/servers';
import { instantOf } from '../groups';
import { linesOf, named, platforms, unknownName } from '../servers';
import { instant } from '../text';
import { endHint } from '../ui/access-field';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Copied } from '../ui/copy';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { More } from '../ui/more';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';

// RegisterServerPage makes the tokens with which servers register, and tells
// what to run on a machine.
export function RegisterServerPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [made, setMade] = useState<MadeRegistrationToken | null>(null);
  return (
    <Page title="Register a server">
      <p><Link to="/servers" search={{}}>Back to servers</Link></p>
      <p>A server registers itself: its agent is started with a registration token. Whoever made the token owns the server.</p>
      {made && (
        <Notice kind="success">
          <h2>The key of {made.name}</h2>
          <p>It is shown now and never again. The guide below has it in its commands as long as this page is open.</p>
          <Copied text={made.key} label="Copy the key" what="The key" />
        </Notice>
      )}
      <h2>Make a registration token</h2>
      <Making onMade={async (token) => {
        setMade(token);
        announce(`The token ${token.name} was made. Its key is shown on top, this once.`);
        await queries.invalidateQueries({ queryKey: ['registration tokens'] });
      }} />
      <h2>Guide</h2>
      <Guide tokenKey={made?.key ?? ''} />
      <Tokens onDeleted={(id) => { if (made?.id === id) setMade(null); }} />
    </Page>
  );
}

function Making({ onMade }: { onMade: (t: MadeRegistrationToken) => Promise<void> }) {
  const make = useMutation({
    mutationFn: async ({ values }: { values: Record<string, string>; reset: () => void }) => {
      const groups: string[] = [];
      for (const name of linesOf(values['groups'] ?? '')) {
        const group = await groupNamed(name);
        if (!group) throw unknownName('group', name, 'groups');
        groups.push(group.id);
      }
      const end = instantOf(values['expires_at'] ?? '');
      return makeRegistrationToken({ name: values['name']?.trim() ?? '', allowed_groups: groups, ...(end ? { expires_at: end } : {}) });
    },
    onSuccess: (token, { reset }) => {
      reset();
      return onMade(token);
    },
  });
  return (
    <FilledForm submit="Make token" label="Registration token" fields={['name', 'groups', 'expires_at']} pending={make.isPending} failure={named(make.error, { allowed_groups: 'groups' })}
      onFill={(values, reset) => make.mutate({ values, reset })}>
      <Field name="name" label="Name of the token" autoComplete="off" />
      <Field name="groups" label="Groups" autoComplete="off" required={false} lines={3}
        hint="Names of groups, one a line. Servers that register with the token come into them, and open to their members. Only groups that you may change." />
      <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} hint={endHint} />
    </FilledForm>
  );
}

type Told = { install: InstallGuide } | { ansible: AnsibleGuide };

function Guide({ tokenKey }: { tokenKey: string }) {
  const announce = useAnnounce();
  const guide = useMutation({
    mutationFn: async (values: Record<string, string>): Promise<Told> => {
      const name = values['server_name']?.trim();
      const of = { platform: values['platform'] ?? '', ...(name ? { server_name: name } : {}) };
      return values['way'] === 'ansible' ? { ansible: await ansibleGuide(of) } : { install: await installGuide(of) };
    },
    onSuccess: () => announce('The guide is shown.'),
  });
  const filled = (text: string, place: string) => (tokenKey ? text.replaceAll(place, tokenKey) : text);
  return (
    <>
      <FilledForm submit="Show the guide" label="Guide" fields={['server_name', 'platform']} pending={guide.isPending} failure={guide.error} onFill={(values) => guide.mutate(values)}>
        <ChoiceField name="platform" label="Platform" choices={platforms} defaultValue="debian" />
        <ChoiceField name="way" label="How" defaultValue="install"
          choices={[{ value: 'install', label: 'One machine, by hand' }, { value: 'ansible', label: 'Several machines, with Ansible' }]} />
        <Field name="server_name" label="Name of the server" autoComplete="off" required={false} hint="Letters, digits, - and _." />
      </FilledForm>
      {guide.data && (
        <section aria-label="What to run">
          {!tokenKey && <p>Put the key of a registration token in place of <code>{'install' in guide.data ? guide.data.install.token_key : guide.data.ansible.registration_token}</code>.</p>}
          {'install' in guide.data
            ? <Install of={guide.data.install} filled={filled} />
            : <Ansible of={guide.data.ansible} filled={filled} />}
        </section>
      )}
    </>
  );
}

function Install({ of: g, filled }: { of: InstallGuide; filled: (text: string, place: string) => string }) {
  return (
    <>
      <p>On the machine ({g.platform_label}), install the agent:</p>
      <Copied text={g.install_commands.join('\n')} label="Copy the installation" what="The installation" />
      <p>Then register it:</p>
      <Copied text={filled(g.register_command, g.token_key)} label="Copy the command" what="The command" />
    </>
  );
}

function Ansible({ of: g, filled }: { of: AnsibleGuide; filled: (text: string, place: string) => string }) {
  return (
    <>
      <p>Where Ansible runs, install the collection:</p>
      <Copied text={g.collection_install} label="Copy the installation" what="The installation" />
      <p>List the machines in inventory.ini:</p>
      <Copied text={g.inventory_snippet} label="Copy the inventory" what="The inventory" />
      <p>Then run:</p>
      <Copied text={filled(g.run_command_quick, g.registration_token)} label="Copy the command" what="The command" />
      <p>Or with a playbook of your own, playbook.yml:</p>
      <Copied text={g.playbook_snippet} label="Copy the playbook" what="The playbook" />
      <Copied text={filled(g.run_command_custom, g.registration_token)} label="Copy the command of the playbook" what="The command of the playbook" />
    </>
  );
}

function Tokens({ onDeleted }: { onDeleted: (id: string) => void }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const list = useInfiniteQuery({
    queryKey: ['registration tokens'],
    queryFn: ({ pageParam }) => registrationTokens(pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const remove = useMutation({
    mutationFn: (t: RegistrationToken) => deleteRegistrationToken(t.id),
    onSuccess: (_, t) => {
      announce(`The token ${t.name} was deleted.`);
      onDeleted(t.id);
      return queries.invalidateQueries({ queryKey: ['registration tokens'] });
    },
  });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  return (
    <>
      <h2>Registration tokens</h2>
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">There is none yet.</p>}
      <ul className="cards" aria-label="Registration tokens">
        {all.map((t) => (
          <li key={t.id}>
            <div>
              <strong>{t.name}</strong> {!t.enabled && <span className="tag">opens nothing</span>}
              <div className="quiet">
                made <Time at={t.added_at}>{instant(t.added_at)}</Time>
                {t.expires_at ? <>, until <Time at={t.expires_at}>{instant(t.expires_at)}</Time></> : ', without end'}
                {t.allowed_groups.length > 0 && `, into ${t.allowed_groups.length === 1 ? 'one group' : `${t.allowed_groups.length} groups`}`}
              </div>
            </div>
            <Confirmed label="Delete" name={`Delete the token ${t.name}`} title={`Delete ${t.name}?`} act="Delete" onAct={() => remove.mutate(t)}>
              <p>No server registers with it any more. Those that did stay.</p>
            </Confirmed>
          </li>
        ))}
      </ul>
      <More of={list} what="tokens" />
    </>
  );
}
