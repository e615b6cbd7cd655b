import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';

import { importGroup, makeGroup } from '../api/groups';
import type { Group } from '../api/types';
import { noGroup } from '../groups';
import { useAnnounce } from '../ui/announce';
import { ConfigForm } from '../ui/config-form';
import { GroupForm } from '../ui/group-form';
import { Page } from '../ui/page';

// useMade returns what follows when a group was made.
function useMade() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  return async (made: Group) => {
    announce(`The group ${made.name} was made.`);
    await queries.invalidateQueries({ queryKey: ['groups'] });
    await navigate({ to: '/groups/$id', params: { id: made.id } });
  };
}

export function NewGroupPage() {
  const make = useMutation({ mutationFn: makeGroup, onSuccess: useMade() });
  return (
    <Page title="Make a group">
      <GroupForm of={noGroup} submit="Make group" pending={make.isPending} failure={make.error} onFill={(typed) => make.mutate(typed)} />
      <p><Link to="/groups" search={{}}>Back to groups</Link></p>
    </Page>
  );
}

const example = `name: ""
description: ""
servers: []
permissions:
  terminal: true
  webftp: true
  deploy_shell: false
  sudo: false
`;

export function ImportGroupPage() {
  const made = useMade();
  return (
    <Page title="Import a configuration">
      <p>A group is made of it. What is not said is not permitted.</p>
      <ConfigForm text={example} submit="Import" apply={importGroup} onApplied={made} />
      <p><Link to="/groups" search={{}}>Back to groups</Link></p>
    </Page>
  );
}
