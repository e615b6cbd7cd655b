import { useMutation, useQuery } from '@tanstack/react-query';

import { groupNamed } from '../api/groups';
import { personNamed } from '../api/people';
import { Problem } from '../api/problem';
import { serverNamed } from '../api/servers';
import { explain, permissions, type Question } from '../api/why';
import { unknownName } from '../servers';
import { useAnnounce } from '../ui/announce';
import { ExplanationShown } from '../ui/explanation';
import { ChoiceField, Field, FilledForm } from '../ui/fields';
import { Page } from '../ui/page';
import { meQuery } from '../ui/shell';

// CheckAccessPage answers whether somebody may do something, and why.
export function CheckAccessPage() {
  const me = useQuery(meQuery);
  const announce = useAnnounce();
  const known = useQuery({ queryKey: ['permissions'], queryFn: permissions, staleTime: Infinity });
  const staff = me.data?.is_staff === true;
  const ask = useMutation({
    mutationFn: async (values: Record<string, string>) => ({ asked: values, answer: await explain(await questionOf(values)) }),
    onSuccess: ({ answer }) => announce(answer.allowed ? 'Allowed.' : 'Not allowed.'),
  });
  const shown = ask.data;
  return (
    <Page title="Check access">
      <p>{staff ? 'May somebody do something, and why? Asking is recorded.' : 'May you do something, and why? Asking is recorded.'}</p>
      <FilledForm submit="Check" label="Question" fields={['user', 'permission', 'object']} pending={ask.isPending} failure={ask.error} onFill={(values) => ask.mutate(values)}>
        {staff && <Field name="user" label="Who" autoComplete="off" required={false} hint="Username or e-mail address, the whole of it. Empty: you." />}
        <Field name="permission" label="Permission" autoComplete="off" list="permissions" hint="Such as server:update or websh:create." />
        <datalist id="permissions">{known.data?.map((p) => <option key={p.permission} value={p.permission} />)}</datalist>
        <ChoiceField name="kind" label="On" defaultValue="all"
          choices={[{ value: 'all', label: 'Everything of its kind' }, { value: 'server', label: 'One server' }, { value: 'group', label: 'One group' }, ...(staff ? [{ value: 'user', label: 'One person' }] : [])]} />
        <Field name="object" label="Its name" autoComplete="off" required={false} hint="Of the server, group or person; the whole of it." />
      </FilledForm>
      {shown && (
        <section aria-label="Answer">
          <h2>{shown.asked['user']?.trim() || 'You'}: {shown.asked['permission']?.trim()} on {shown.asked['kind'] === 'all' ? 'everything' : shown.asked['object']?.trim()}</h2>
          <ExplanationShown of={shown.answer} />
        </section>
      )}
    </Page>
  );
}

async function questionOf(values: Record<string, string>): Promise<Question> {
  const [user, object, kind] = [values['user']?.trim() ?? '', values['object']?.trim() ?? '', values['kind']];
  const find = async (what: string, name: string, field: string, by: (name: string) => Promise<{ id: string } | undefined>) => {
    if (!name) throw new Problem(0, 'empty', 'Fill in this field.', field);
    const found = await by(name);
    if (!found) throw unknownName(what, name, field);
    return found.id;
  };
  const on = kind === 'server' ? find('server', object, 'object', serverNamed)
    : kind === 'group' ? find('group', object, 'object', groupNamed)
      : kind === 'user' ? find('person', object, 'object', personNamed) : undefined;
  const found = await on;
  return {
    permission: values['permission']?.trim() ?? '',
    ...(user ? { user: await find('person', user, 'user', personNamed) } : {}),
    ...(found ? { object: found } : {}),
  };
}
