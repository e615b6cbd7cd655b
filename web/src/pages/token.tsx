import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { deleteToken, duplicateToken, switchToken, type Token } from '../api/tokens';
import { instant } from '../text';
import { scopesText, stateOf } from '../tokens';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { TokenKey } from '../ui/token-key';
import { TokenRules } from './token-rules';
import { tokensQuery } from './tokens';

export function TokenPage() {
  const { id } = useParams({ from: '/signed-in/preferences/tokens/$id' });
  return <One key={id} id={id} />;
}

function One({ id }: { id: string }) {
  const list = useQuery(tokensQuery);
  const t = list.data?.find((one) => one.id === id);
  const back = <p><Link to="/preferences/tokens">Back to API tokens</Link></p>;
  if (!t) {
    return (
      <Page title="API token">
        {back}
        <Failure of={list.error} />
        {list.isPending ? <Loading /> : list.isSuccess && <p>You have no such token.</p>}
      </Page>
    );
  }
  return (
    <Page title={t.name}>
      {back}
      <dl className="facts">
        <dt>State</dt><dd>{stateOf(t, Date.now()) || 'good'}</dd>
        <dt>May</dt><dd>{scopesText(t.scopes)}</dd>
        <dt>Ends</dt><dd>{t.expires_at ? <Time at={t.expires_at}>{instant(t.expires_at)}</Time> : 'never'}</dd>
        <dt>Made</dt><dd><Time at={t.created_at}>{instant(t.created_at)}</Time></dd>
        <dt>Last used</dt><dd>{t.last_used_at ? <Time at={t.last_used_at}>{instant(t.last_used_at)}</Time> : 'never'}</dd>
      </dl>
      {t.blocked && <Notice kind="info">An administrator disabled this token. Only they let it be used again.</Notice>}
      <Acts of={t} />
      <TokenRules of={t} />
    </Page>
  );
}

function Acts({ of: t }: { of: Token }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const navigate = useNavigate();
  const changed = async (what: string) => {
    announce(what);
    await queries.invalidateQueries(tokensQuery);
  };
  const turn = useMutation({
    mutationFn: (on: boolean) => switchToken(t.id, on),
    onSuccess: (_, on) => changed(on ? 'The token was enabled.' : 'The token was disabled.'),
  });
  const remove = useMutation({
    mutationFn: () => deleteToken(t.id),
    onSuccess: async () => {
      await navigate({ to: '/preferences/tokens' });
      await changed('The token was deleted.');
    },
  });
  const good = stateOf(t, Date.now()) === '';
  return (
    <>
      <Failure of={turn.error ?? remove.error} />
      <div className="actions">
        {good && (
          <Confirmed label="Disable" title={`Disable ${t.name}?`} act="Disable" onAct={() => turn.mutate(false)}>
            <p>It is refused from the next request on, until you enable it again.</p>
          </Confirmed>
        )}
        {!t.enabled && !t.blocked && !t.ended && <Button className={turn.isPending ? 'busy' : 'plain'} onPress={() => { if (!turn.isPending) turn.mutate(true); }}>Enable</Button>}
        <Duplicate of={t} />
        <Confirmed label="Delete" title={`Delete ${t.name}?`} act="Delete" onAct={() => remove.mutate()}>
          <p>It is refused from the next request on, and its rules go with it. This cannot be undone.</p>
        </Confirmed>
      </div>
    </>
  );
}

// Duplicate makes a token like another, and shows its key.
function Duplicate({ of: t }: { of: Token }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const copy = useMutation({ mutationFn: (name: string) => duplicateToken(t.id, name), gcTime: 0 });
  const close = () => {
    copy.reset(); // the key goes with the dialog
    setOpen(false);
    void queries.invalidateQueries(tokensQuery);
  };
  const saved = (id: string) => {
    close();
    void navigate({ to: '/preferences/tokens/$id', params: { id } });
  };
  return (
    <DialogTrigger isOpen={open} onOpenChange={(next) => (next ? setOpen(true) : close())}>
      <Button>Duplicate</Button>
      <ModalOverlay isDismissable={!copy.data} isKeyboardDismissDisabled={copy.data !== undefined} className="overlay">
        <Modal className="modal">
          <Dialog>
            <Heading slot="title" level={2}>{copy.data ? 'The token was made' : `Duplicate ${t.name}`}</Heading>
            {copy.data ? <TokenKey of={copy.data} onSaved={() => saved(copy.data.id)} /> : (
              <>
                <p>The copy has the same scopes, end and rules, and a key of its own.</p>
                <FilledForm submit="Duplicate" label="Copy" fields={['name']} pending={copy.isPending} failure={copy.error}
                  more={<Button slot="close">Cancel</Button>} onFill={(values) => copy.mutate(values['name']?.trim() ?? '')}>
                  <Field name="name" label="Name of the copy" autoComplete="off" required={false} autoFocus hint="Empty: it gets one." />
                </FilledForm>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
