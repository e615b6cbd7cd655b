import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';

import { applyConfig, groupConfig, patchGroup, tryConfig, tryGroup } from '../api/groups';
import type { Impact } from '../api/roles';
import type { Group, GroupFields } from '../api/types';
import { groupChanges } from '../groups';
import { useAnnounce } from '../ui/announce';
import { ConfigForm } from '../ui/config-form';
import { GroupForm } from '../ui/group-form';
import { ForeseenDialog, previewLabel } from '../ui/impact';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { groupQuery } from './group';

// useChanged returns what follows when a group was changed.
function useChanged(said: string) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return async (after: Group) => {
    announce(said);
    queries.setQueryData(['group', after.id], after);
    await queries.invalidateQueries({ queryKey: ['groups'] });
    await navigate({ to: '/groups/$id', params: { id: after.id } });
  };
}

// fresh queries are read anew for each visit, and not behind the back of
// somebody who types.
const fresh = { gcTime: 0, staleTime: Infinity };

function Around({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return <Page title={title}><p><Link to="/groups/$id" params={{ id }}>Back to the group</Link></p>{children}</Page>;
}

export function GroupChangePage() {
  const { id } = useParams({ from: '/signed-in/groups/$id/change' });
  const one = useQuery({ ...groupQuery(id), queryKey: ['group change', id], ...fresh });
  return (
    <Around id={id} title="Change the group">
      <Failure of={one.error} />
      {one.isPending && <Loading />}
      {one.data && (one.data.allowed.includes('group:update') ? <Change of={one.data} /> : <Notice kind="info">You may not change this group.</Notice>)}
    </Around>
  );
}

// Change saves what was changed of a group; on the way to it one can see what it
// means for people.
function Change({ of: g }: { of: Group }) {
  const [foreseen, setForeseen] = useState<{ changes: Partial<GroupFields>; impact: Impact } | null>(null);
  const look = useMutation({
    mutationFn: async (changes: Partial<GroupFields>) => ({ changes, impact: await tryGroup(g.id, changes) }),
    onSuccess: setForeseen,
  });
  const save = useMutation({ mutationFn: (changes: Partial<GroupFields>) => patchGroup(g.id, changes), onSuccess: useChanged('The group was saved.') });
  const filled = (typed: GroupFields, values: Record<string, string>) => {
    look.reset();
    save.reset();
    (values['act'] === 'preview' ? look : save).mutate(groupChanges(g, typed));
  };
  return (
    <>
      <GroupForm of={g} submit="Save" pending={save.isPending || look.isPending} failure={look.error ?? save.error} onFill={filled}
        more={<Button type="submit" name="act" value="preview">{previewLabel}</Button>} />
      {foreseen && (
        <ForeseenDialog title="Save the group?" of={foreseen.impact} act="Save" onCancel={() => setForeseen(null)}
          onAct={() => { setForeseen(null); save.mutate(foreseen.changes); }} />
      )}
    </>
  );
}

export function GroupConfigPage() {
  const { id } = useParams({ from: '/signed-in/groups/$id/config' });
  const one = useQuery(groupQuery(id));
  const config = useQuery({ queryKey: ['group config', id], queryFn: () => groupConfig(id), ...fresh });
  const changed = useChanged('The configuration was applied.');
  const text = config.data?.config;
  return (
    <Around id={id} title="Configuration as YAML">
      <Failure of={one.error ?? config.error} />
      {(one.isPending || config.isPending) && <Loading />}
      {one.data && text !== undefined && (one.data.allowed.includes('group:update') ? (
        <>
          <p>Paste another one to replace it: what the group gives becomes what it says.</p>
          <ConfigForm text={text} submit="Apply" apply={(typed) => applyConfig(id, typed)} look={(typed) => tryConfig(id, typed)} onApplied={changed} more={<Copy text={text} />} />
        </>
      ) : (
        <>
          <pre className="scroll" tabIndex={0} role="group" aria-label="Configuration">{text}</pre>
          <div className="actions"><Copy text={text} /></div>
        </>
      ))}
    </Around>
  );
}

function Copy({ text }: { text: string }) {
  const announce = useAnnounce();
  const copy = () => navigator.clipboard.writeText(text).then(
    () => announce('The configuration was copied.'),
    () => announce('The browser does not let the console copy. Select the text and copy it.'),
  );
  return <Button onPress={copy}>Copy</Button>;
}
