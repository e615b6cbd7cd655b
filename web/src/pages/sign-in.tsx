import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Button, Label, Radio, RadioGroup } from 'react-aria-components';

import { ownFactors, ownState, signIn, signOut } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import type { Method, SigninAnswer, VerifyAnswer } from '../api/types';
import { destination } from '../destination';
import { useVerification } from '../stepup/challenge';
import { methodName } from '../text';
import { CodeField, Field, FilledForm, PasswordField } from '../ui/fields';
import { Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';

type Step = { at: 'asking' } | { at: 'password'; why?: string } | { at: 'factor'; methods: Method[] };

export function SignInPage() {
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
    else setStep({ at: 'factor', methods: 'methods' in answer ? answer.methods : [] });
  };
  switch (step.at) {
    case 'asking':
      return <main id="content" className="narrow"><Loading /></main>;
    case 'password':
      return <PasswordStep why={step.why} onDone={arrive} />;
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
    if (isCode(failure, 'enrolment_required')) return 'signed_in'; // the next page asks for it
    if (!isCode(failure, 'sign_in_incomplete')) return null;
  }
  try {
    const methods = [...new Set((await ownFactors()).results.map((f) => f.method))];
    return methods.length > 0 ? methods : null;
  } catch {
    return null;
  }
}

function PasswordStep({ why, onDone }: { why: string | undefined; onDone: (answer: SigninAnswer) => void }) {
  const attempt = useMutation({
    mutationFn: (v: Record<string, string>) => signIn(v['login'] ?? '', v['password'] ?? ''),
    onSuccess: onDone,
  });
  return (
    <Page title="Sign in" narrow>
      {why && !attempt.isError && <Notice kind="info">{why}</Notice>}
      <FilledForm submit="Sign in" fields={['login', 'password']} pending={attempt.isPending} failure={attempt.error} onFill={attempt.mutate}>
        <Field name="login" label="Username or e-mail address" autoComplete="username" autoFocus />
        <PasswordField name="password" label="Password" autoComplete="current-password" />
      </FilledForm>
    </Page>
  );
}

function FactorStep({ methods, onDone, onStartAgain }: {
  methods: Method[]; onDone: (answer: VerifyAnswer) => void; onStartAgain: (why?: string) => void;
}) {
  // A recovery code is the last resort, whenever it was made.
  const known = (['otp', 'recovery_code'] as const).filter((m) => methods.includes(m));
  const [method, setMethod] = useState<Method>(known[0] ?? 'otp');
  const verify = useVerification('login');
  const answer = useMutation({
    mutationFn: (code: string) => verify(method, code),
    onSuccess: onDone,
    onError: (failure) => {
      if (failure instanceof Problem && failure.status === 401) onStartAgain('Signing in took too long. Start again.');
    },
  });
  const startAgain = async () => {
    await signOut().catch(() => undefined);
    onStartAgain();
  };
  return (
    <Page title="Enter your code" narrow>
      {known.length > 1 && (
        <RadioGroup value={method} onChange={(m) => { setMethod(m); answer.reset(); }}>
          <Label>How do you want to verify?</Label>
          {known.map((m) => <Radio key={m} value={m}><span className="dot" aria-hidden="true" />{methodName(m)}</Radio>)}
        </RadioGroup>
      )}
      <FilledForm key={method} submit="Verify" fields={['code']} pending={answer.isPending} failure={answer.error}
        onFill={(values) => answer.mutate(values['code'] ?? '')}
        more={<Button onPress={startAgain}>Start again</Button>}>
        <CodeField recovery={method === 'recovery_code'} />
      </FilledForm>
    </Page>
  );
}
