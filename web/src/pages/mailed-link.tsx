import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components';

import { confirmEmail, notMe, undoEmail } from '../api/links';
import { isCode } from '../api/problem';
import { useAnnounce } from '../ui/announce';
import { Failure } from '../ui/notice';
import { OpenTheLink } from '../ui/open-the-link';
import { Page } from '../ui/page';

interface Secret {
  token: string;
}

// ConfirmEmailPage makes the address that a link was mailed to the account's own.
export function ConfirmEmailPage({ token }: Secret) {
  return (
    <Redeemed token={token} title="Confirm your new address" act="Confirm the address" call={confirmEmail}
      done="Your address is confirmed" then={<p>Mail about your account comes here from now on. Your old address is told.</p>}
      instead="Sign in and give the address once more: a new link is mailed then.">
      <p>The address that this link was mailed to becomes the address of your account. Your old address is told.</p>
    </Redeemed>
  );
}

// UndoEmailPage brings an address back that somebody changed.
export function UndoEmailPage({ token }: Secret) {
  return (
    <Redeemed token={token} title="Bring your address back" act="Bring it back" danger call={undoEmail}
      done="Your address is back" then={<p>All sessions of your account have ended. We mailed you a link with which to choose a new password.</p>}
      instead="When somebody else still has your account, tell an administrator of your workspace at once.">
      <p>Do this when it was not you who changed the address of your account.</p>
      <p>The address that this link was mailed to becomes the address of your account again, all its sessions end, and you get a link with which to choose a new password.</p>
    </Redeemed>
  );
}

// NotMePage ends everything that can act for an account.
export function NotMePage({ token }: Secret) {
  return (
    <Redeemed token={token} title="This was not me" act="End everything" danger call={notMe}
      done="Everything of your account has ended"
      then={<p>Nobody can sign in with the old password any more. We mailed you a link with which to choose a new one.</p>}
      instead="When somebody else may have your account, choose a new password, and tell an administrator of your workspace at once.">
      <p>Do this when somebody else acted for your account.</p>
      <p>All its sessions end and its password stops working. You get a link with which to choose a new one. Your sign-in methods stay.</p>
    </Redeemed>
  );
}

// UnlockPage leads to sign-in with a ticket for one more try.
export function UnlockPage({ token }: Secret) {
  const navigate = useNavigate();
  if (token === '') return <OpenTheLink title="Try once more" />;
  return (
    <Page title="Try once more" narrow>
      <p>Too many attempts to sign in were made with your name. This link lets you try once more, in this window, in spite of that.</p>
      <div className="actions">
        <Button className="primary" onPress={() => void navigate({ to: '/signin', search: {} })}>Go on to sign in</Button>
      </div>
    </Page>
  );
}

// Redeemed says what a link does, and does it when its button is pressed: what
// only opens links, such as a mail filter, does nothing.
function Redeemed({ token, title, act, danger = false, call, done, then, instead, children }: {
  token: string; title: string; act: string; danger?: boolean; call: (token: string) => Promise<void>;
  done: string; then: ReactNode; instead: string; children: ReactNode;
}) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const redeem = useMutation({
    mutationFn: () => call(token),
    onSuccess: () => {
      queries.clear();
      announce(done);
    },
  });
  if (token === '') return <OpenTheLink title={title} />;
  const toSignIn = <p><Link to="/signin" search={{}}>To sign-in</Link></p>;
  if (redeem.isSuccess) return <Page title={done} narrow>{then}{toSignIn}</Page>;
  if (isCode(redeem.error, 'link_not_found')) {
    return (
      <Page title="This link does not work" narrow>
        <Failure of={redeem.error} />
        <p>Links work once, and for a limited time. {instead}</p>
        {toSignIn}
      </Page>
    );
  }
  return (
    <Page title={title} narrow>
      <Failure of={redeem.error} />
      {children}
      <div className="actions">
        <Button className={`${danger ? 'danger' : 'primary'}${redeem.isPending ? ' busy' : ''}`}
          onPress={() => { if (!redeem.isPending) redeem.mutate(); }}>{act}</Button>
      </div>
    </Page>
  );
}
