import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Checkbox, Label, Radio, RadioGroup } from 'react-aria-components';

import { Problem } from '../api/problem';
import { makeToken, scopes, type ScopeResource } from '../api/tokens';
import { instantOf } from '../groups';
import { everything, levelsOf, resourceName, scopeField, scopesOf } from '../tokens';
import { endHint } from '../ui/access-field';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { SelectField } from '../ui/select-field';
import { TokenKey } from '../ui/token-key';
import { tokensQuery } from './tokens';

// NewTokenPage makes an API token. Full access is chosen in so many words: a
// form that is left empty makes none.
export function NewTokenPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const known = useQuery({ queryKey: ['scopes'], queryFn: scopes, staleTime: Infinity });
  const [full, setFull] = useState(false);
  const [meant, setMeant] = useState(false);
  const make = useMutation({
    mutationFn: async (values: Record<string, string>) => {
      const chosen = full ? [everything] : scopesOf(values);
      if (full && !meant) throw new Problem(0, 'not_meant', 'Say that you mean full access, or choose what the token may.');
      if (chosen.length === 0) throw new Problem(0, 'no_scope', 'Choose at least one thing that the token may.');
      const end = instantOf(values['expires_at'] ?? '');
      return makeToken({ name: values['name']?.trim() ?? '', scopes: chosen, ...(end ? { expires_at: end } : {}) });
    },
    onSuccess: (made) => {
      announce(`The token ${made.name} was made. Its key is shown this once.`);
      return queries.invalidateQueries(tokensQuery);
    },
    gcTime: 0, // the key goes with the page
  });
  if (make.data) {
    const { id } = make.data;
    return (
      <Page title="The token was made">
        <TokenKey of={make.data} onSaved={() => void navigate({ to: '/preferences/tokens/$id', params: { id } })} />
      </Page>
    );
  }
  return (
    <Page title="New API token">
      <p><Link to="/preferences/tokens">Back to API tokens</Link></p>
      <Failure of={known.error} />
      {known.isPending && <Loading />}
      {known.data && (
        <FilledForm submit="Make token" label="API token" fields={['name', 'expires_at']} pending={make.isPending} failure={make.error} onFill={(values) => make.mutate(values)}>
          <Field name="name" label="Name" autoComplete="off" hint="What it is for, such as the name of a program." />
          <Field name="expires_at" label="Ends" type="datetime-local" autoComplete="off" required={false} hint={endHint} />
          <RadioGroup value={full ? 'full' : 'some'} onChange={(v) => { setFull(v === 'full'); setMeant(false); }}>
            <Label>What the token may</Label>
            <Radio value="some"><span className="dot" aria-hidden="true" />Only what I choose</Radio>
            <Radio value="full"><span className="dot" aria-hidden="true" />Full access: everything that I may</Radio>
          </RadioGroup>
          {full ? (
            <Notice kind="warning">
              <p>Whoever gets hold of a token of full access does what you can do, now and later: what you are given, it has. Choose scopes wherever they are enough.</p>
              <Checkbox isSelected={meant} onChange={setMeant}><span className="box" aria-hidden="true" />I mean full access</Checkbox>
            </Notice>
          ) : <Scopes of={known.data.resources} />}
          <p className="quiet">Without rules the token reaches no server, runs no command and moves no file, whatever it may else. You add rules on its page.</p>
        </FilledForm>
      )}
    </Page>
  );
}

function Scopes({ of: all }: { of: ScopeResource[] }) {
  return (
    <fieldset>
      <legend>Scopes</legend>
      {all.map((r) => (
        <SelectField key={r.name} name={scopeField(r.name)} label={resourceName(r.name)}
          choices={[{ value: '', label: 'Nothing' }, ...levelsOf(r)]} />
      ))}
    </fieldset>
  );
}
