import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Switch } from 'react-aria-components';

import { factors, newRecoveryCodes, patchMe, removeFactor, signOut } from '../api/calls';
import { isCode } from '../api/problem';
import type { Factor, Factors, Method } from '../api/types';
import { instant, methodName } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { MethodEnrolment } from '../ui/method-enrolment';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';
import { PasswordChange } from '../ui/password-change';
import { RecoveryCodes } from '../ui/recovery-codes';
import { meQuery } from '../ui/shell';

export function MySecurityPage() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const [adding, setAdding] = useState(false);
  const [codes, setCodes] = useState<string[]>([]);
  const list = useQuery({ queryKey: ['factors'], queryFn: factors });
  const changed = async (what: string) => {
    announce(what);
    await queries.invalidateQueries({ queryKey: ['factors'] });
  };
  const remove = useMutation({ mutationFn: removeFactor, onSuccess: () => changed('The sign-in method was removed.') });
  const renew = useMutation({
    mutationFn: newRecoveryCodes,
    onSuccess: (answer) => {
      setCodes(answer.recovery_codes);
      return changed('New recovery codes were made.');
    },
  });
  const added = (made: string[]) => {
    setAdding(false);
    setCodes(made);
    return changed('The sign-in method was added.');
  };
  if (codes.length > 0) return <Page title="My security"><RecoveryCodes codes={codes} onSaved={() => setCodes([])} /></Page>;
  if (adding && list.data) {
    return (
      <Page title="Add a sign-in method">
        <Adding held={list.data} onDone={added} />
        <hr />
        <Button onPress={() => setAdding(false)}>Back without adding</Button>
      </Page>
    );
  }
  const all = list.data?.results ?? [];
  const hasCodes = all.some((f) => f.method === 'recovery_code');
  return (
    <Page title="My security">
      <h2>Sign-in methods</h2>
      <p>They prove that it is you, at sign-in and before protected actions.</p>
      <Failure of={list.error ?? remove.error} />
      {list.isPending ? <Loading /> : <Methods of={all.filter((f) => f.method !== 'recovery_code')} allowed={list.data?.enrol_methods ?? []} onRemove={remove.mutate} />}
      <div className="actions"><Button className="primary" isDisabled={!list.data} onPress={() => setAdding(true)}>Add a sign-in method</Button></div>
      <h2>Recovery codes</h2>
      <Failure of={renew.error} />
      {hasCodes ? (
        <>
          <p>Each of your recovery codes lets you in once when your device is lost. New codes end the old ones at once.</p>
          <Confirmed label="Make new recovery codes" title="Make new recovery codes?" act="Make new codes" onAct={() => renew.mutate()}>
            <p>The codes that you have now stop working.</p>
          </Confirmed>
        </>
      ) : !list.isPending && <p>You get recovery codes with your first sign-in method.</p>}
      <Notices />
      <Password />
      <h2>Activity</h2>
      <p><Link to="/audit" search={{ mine: true }}>What you did, and what was done to your account</Link></p>
    </Page>
  );
}

// Notices sets which mail one gets about one's own account.
function Notices() {
  const announce = useAnnounce();
  const queries = useQueryClient();
  const person = useQuery(meQuery);
  const change = useMutation({
    mutationFn: (on: boolean) => patchMe({ notify_step_up: on }),
    onSuccess: (after) => {
      queries.setQueryData(meQuery.queryKey, after);
      announce(after.notify_step_up ? 'Each verification is mailed to you.' : 'Verifications are not mailed to you.');
    },
  });
  return (
    <>
      <h2>Mail to you</h2>
      <Failure of={change.error} />
      <Switch isSelected={person.data?.notify_step_up === true} isDisabled={change.isPending} onChange={(on) => change.mutate(on)}>
        <span className="track" aria-hidden="true" />Mail me each verification
      </Switch>
    </>
  );
}

function Password() {
  const announce = useAnnounce();
  const [changed, setChanged] = useState(false);
  return (
    <>
      <h2>Password</h2>
      <p>A new password ends your other sessions.</p>
      {changed && <Notice kind="success">{passwordChanged}</Notice>}
      <PasswordChange onDone={() => {
        setChanged(true);
        announce(passwordChanged);
      }} />
    </>
  );
}

const passwordChanged = 'Your password was changed. Your other sessions have ended.';

function Methods({ of: methods, allowed, onRemove }: { of: Factor[]; allowed: Method[]; onRemove: (id: string) => void }) {
  if (methods.length === 0) return <p className="quiet">You have none yet: only your password protects your account.</p>;
  return (
    <ul className="cards" aria-label="Sign-in methods">
      {methods.map((f) => (
        <li key={f.id}>
          <div>
            <strong>{f.name}</strong> {f.restricted && <span className="tag">less secure</span>} {!allowed.includes(f.method) && <span className="tag">not allowed any more</span>}
            <div className="quiet">{methodName(f.method)}{f.sent_to && ` to ${f.sent_to}`}, since <Time at={f.confirmed_at}>{instant(f.confirmed_at)}</Time></div>
          </div>
          <Confirmed label="Remove" name={`Remove ${f.name}`} title={`Remove ${f.name}?`} act="Remove" onAct={() => onRemove(f.id)}>
            <p>You can no longer sign in with it. All your addresses are told.</p>
          </Confirmed>
        </li>
      ))}
    </ul>
  );
}

function Adding({ held, onDone }: { held: Factors; onDone: (codes: string[]) => void }) {
  const [again, setAgain] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const signInAgain = async () => {
    await signOut().catch(() => undefined);
    queries.clear();
    await navigate({ to: '/signin', search: { next: '/account/security' } });
  };
  return (
    <>
      <MethodEnrolment held={held} onDone={onDone} onFailed={(failure) => setAgain(isCode(failure, 'sign_in_again'))} />
      {again && <div className="actions"><Button className="primary" onPress={signInAgain}>Sign in again</Button></div>}
    </>
  );
}
