import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'react-aria-components';

import { blockToken, deletePersonToken, personTokens, type Token } from '../api/tokens';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { TokenFacts, TokenState } from '../ui/token-facts';

// PersonTokens lists the API tokens of somebody else; guarded ones are only to
// be looked at.
export function PersonTokens({ id, name, guarded }: { id: string; name: string; guarded: boolean }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const key = ['person', id, 'tokens'];
  const list = useQuery({ queryKey: key, queryFn: () => personTokens(id) });
  const changed = (what: string) => {
    announce(what);
    return queries.invalidateQueries({ queryKey: key });
  };
  const turn = useMutation({
    mutationFn: ({ token, on }: { token: Token; on: boolean }) => blockToken(id, token.id, on),
    onSuccess: (_, { token, on }) => changed(on ? `The token ${token.name} may be used again.` : `The token ${token.name} was disabled.`),
  });
  const remove = useMutation({ mutationFn: (t: Token) => deletePersonToken(id, t.id), onSuccess: (_, t) => changed(`The token ${t.name} was deleted.`) });
  return (
    <>
      <h2>API tokens</h2>
      <Failure of={list.error ?? turn.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.data?.length === 0 && <p className="quiet">{name} has none.</p>}
      <ul className="cards" aria-label="API tokens">
        {list.data?.map((t) => (
          <li key={t.id}>
            <div>
              <strong>{t.name}</strong> <TokenState of={t} />
              <TokenFacts of={t} />
            </div>
            {!guarded && (
              <div className="actions">
                {t.blocked ? (
                  <Button aria-label={`Enable the token ${t.name}`} className={turn.isPending ? 'busy' : 'plain'} onPress={() => { if (!turn.isPending) turn.mutate({ token: t, on: true }); }}>Enable</Button>
                ) : !t.ended && (
                  <Confirmed label="Disable" name={`Disable the token ${t.name}`} title={`Disable ${t.name}?`} act="Disable" onAct={() => turn.mutate({ token: t, on: false })}>
                    <p>It is refused from the next request on. {name} cannot enable it again.</p>
                  </Confirmed>
                )}
                <Confirmed label="Delete" name={`Delete the token ${t.name}`} title={`Delete ${t.name}?`} act="Delete" onAct={() => remove.mutate(t)}>
                  <p>It is refused from the next request on. This cannot be undone.</p>
                </Confirmed>
              </div>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
