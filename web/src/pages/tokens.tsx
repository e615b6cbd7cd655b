import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { tokens } from '../api/tokens';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { TokenFacts, TokenState } from '../ui/token-facts';

export const tokensQuery = { queryKey: ['tokens'], queryFn: tokens };

// TokensPage lists one's own API tokens.
export function TokensPage() {
  const list = useQuery(tokensQuery);
  return (
    <Page title="API tokens">
      <p>With a token a program acts as you, as far as the token&apos;s scopes and rules go, and never further than you may at that moment.</p>
      <div className="actions"><Link className="button primary" to="/preferences/tokens/new">New API token</Link></div>
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data?.length === 0 && <p className="quiet">You have none yet.</p>}
      <ul className="cards" aria-label="API tokens">
        {list.data?.map((t) => (
          <li key={t.id}>
            <div>
              <strong><Link to="/preferences/tokens/$id" params={{ id: t.id }}>{t.name}</Link></strong> <TokenState of={t} />
              <TokenFacts of={t} />
            </div>
          </li>
        ))}
      </ul>
    </Page>
  );
}
