import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState, type RefObject } from 'react';
import { Button } from 'react-aria-components';

import { ownFactors, ownState, signIn } from '../api/calls';
import { mailUnlock } from '../api/links';
import { isCode } from '../api/problem';
import type { Method, SigninAnswer, VerifyAnswer } from '../api/types';
import { usesKeys } from '../api/webauthn';
import { destination } from '../destination';
import { passkeySignIn } from '../passkey';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm, PasswordField } from '../ui/fields';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';
import { FactorStep } from './sign-in-factor';

type Step = { at: 'asking' } | { at: 'password'; why?: string } | { at: 'factor'; methods: Method[] };

// A Ticket holds the secret of a link that admits one more try to sign in, ''
// for none. It is never written down: it ends with the page.
export type Ticket = RefObject<string>;

export function SignInPage({ ticket }: { ticket: Ticket }) {
  const search = useSearch({ from: '/signin' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [step, setStep] = useState<Step>({ at: 'asking' });
  const ended = search.ended ? 'Your session has ended. Sign in again.' : undefined;
  const next = destination(search.next, location.origin);

  // A reload in the middle of signing in goes on where it was. Once: what the
  // effect reads is that of the first look at the page.
  useEffect(() => {
    void resume().then((state) => {
      if (state === 'signed_in') void navigate({ href: next, replace: true });
      else if (Array.isArray(state)) setStep({ at: 'factor', methods: state });
      else setStep({ at: 'password', ...(ended ? { why: ended } : {}) });
    });
  }, []);

  const arrive = (answer: SigninAnswer | VerifyAnswer) => {
    queries.clear();
    if (answer.state === 'signed_in') void navigate({ href: next });
    else if (answer.state === 'enrolment_required') void navigate({ to: '/enrolment', search: { next } });
    else if (answer.state === 'password_change_required') void navigate({ to: '/change-password', search: { next } });
    else setStep({ at: 'factor', methods: 'methods' in answer ? answer.methods : [] });
  };
  switch (step.at) {
    case 'asking':
      return <main id="content" className="narrow"><Loading /></main>;
    case 'password':
      return <PasswordStep why={step.why} ticket={ticket} onDone={arrive} />;
    case 'factor':
      return <FactorStep methods={step.methods} onDone={arrive} onStartAgain={(why) => setStep({ at: 'password', ...(why ? { why } : {}) })} />;
  }
}

// resume finds out how far a sign-in had come: 'signed_in', the methods that can
// finish it, or null.
async function resume(): Promise<'signed_in' | Method[] | null> {
  try {
    await ownState();
    return 'signed_in';
  } catch (failure) {
    // The next page asks for what is missing.
    if (isCode(failure, 'enrolment_required') || isCode(failure, 'password_change_required')) return 'signed_in';
    if (!isCode(failure, 'sign_in_incomplete')) return null;
  }
  try {
    const methods = (await ownFactors()).sign_in_methods;
    return methods.length > 0 ? methods : null;
  } catch {
    return null;
  }
}

function PasswordStep({ why, ticket, onDone }: { why: string | undefined; ticket: Ticket; onDone: (answer: SigninAnswer) => void }) {
  const announce = useAnnounce();
  const [wrong, setWrong] = useState(0);
  const attempt = useMutation({
    mutationFn: (v: Record<string, string>) => signIn(v['login'] ?? '', v['password'] ?? '', ticket.current),
    onSuccess: (answer) => {
      ticket.current = '';
      onDone(answer);
    },
    onError: (failure) => {
      if (isCode(failure, 'link_not_found')) ticket.current = ''; // without it the next try is an ordinary one
      if (isCode(failure, 'invalid_credentials')) setWrong((n) => n + 1);
    },
  });
  const unlock = useMutation({ mutationFn: mailUnlock, onSuccess: () => announce(mailed) });
  // Guesses of others can make a right password be refused as a wrong one is.
  const locked = isCode(attempt.error, 'too_many_attempts') || isCode(attempt.error, 'link_not_found') || attempt.isError && wrong >= maxWrong;
  const login = attempt.variables?.['login'] ?? '';
  const passkeys = usePasskeys(onDone);
  return (
    <Page title="Sign in" narrow>
      {why && !attempt.isError && <Notice kind="info">{why}</Notice>}
      {locked && unlock.isSuccess && <Notice kind="info">{mailed}</Notice>}
      {locked && <Failure of={unlock.error} />}
      <Failure of={passkeys.failure} />
      {passkeys.usable && (
        <>
          <div className="actions">
            <Button className={passkeys.isPending ? 'primary busy' : 'primary'} onPress={passkeys.ask}>Sign in with a passkey</Button>
          </div>
          <p className="quiet">Or with your password:</p>
        </>
      )}
      <FilledForm submit="Sign in" fields={['login', 'password']} pending={attempt.isPending} failure={attempt.error} onFill={(v) => attempt.mutate(v)}
        more={locked && !unlock.isSuccess && (
          <Button className={unlock.isPending ? 'busy' : 'plain'} onPress={() => { if (!unlock.isPending) unlock.mutate(login); }}>
            Mail me a link to try once more
          </Button>
        )}>
        <Field name="login" label="Username or e-mail address" autoComplete="username webauthn" autoFocus onFocus={passkeys.suggest} />
        <PasswordField name="password" label="Password" autoComplete="current-password" />
      </FilledForm>
      <p><Link to="/forgot-password">Forgot your password?</Link></p>
    </Page>
  );
}

// maxWrong is after how many wrong passwords a mailed link is offered.
const maxWrong = 3;

// usePasskeys signs in with a passkey alone; see passkeySignIn.
function usePasskeys(onDone: (answer: SigninAnswer) => void) {
  const [usable, setUsable] = useState(usesKeys);
  const [failure, setFailure] = useState<unknown>(null);
  const [passkeys] = useState(() => passkeySignIn());
  useEffect(() => {
    passkeys.enter();
    return passkeys.leave;
  }, [passkeys]);
  const refused = (asked: boolean) => (why: unknown) => {
    const none = isCode(why, 'passkey_not_allowed');
    if (none) setUsable(false);
    if (asked || !none) setFailure(why);
  };
  const attempt = useMutation({ mutationFn: passkeys.ask, onMutate: () => setFailure(null), onSuccess: onDone, onError: refused(true) });
  return {
    usable, failure, isPending: attempt.isPending,
    ask: () => { if (!attempt.isPending) attempt.mutate(); },
    suggest: () => { if (usable) void passkeys.suggest().then((answer) => { if (answer) onDone(answer); }, refused(false)); },
  };
}

const mailed = 'If there is such an account, a link was mailed to its address. Open it in this browser: with it you can try once more.';
