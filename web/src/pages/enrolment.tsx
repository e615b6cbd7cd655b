import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';

import { ownFactors, signOut } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import { destination } from '../destination';
import { StepUpDialog } from '../stepup/dialog';
import { MethodEnrolment } from '../ui/method-enrolment';
import { Failure, Loading } from '../ui/notice';
import { Page } from '../ui/page';
import { RecoveryCodes } from '../ui/recovery-codes';

// EnrolmentPage sets up the method without which the session may do nothing
// else. Who has one already proves it instead.
export function EnrolmentPage() {
  const search = useSearch({ from: '/enrolment' });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [codes, setCodes] = useState<string[]>([]);
  const [proving, setProving] = useState(false);
  const held = useQuery({ queryKey: ['factors', 'enrolment'], queryFn: ownFactors, gcTime: 0, staleTime: Infinity });
  const next = destination(search.next === '/enrolment' ? '' : search.next, location.origin);
  const goOn = () => {
    queries.clear();
    void navigate({ href: next });
  };
  const signInAgain = async () => {
    await signOut().catch(() => undefined);
    queries.clear();
    await navigate({ to: '/signin', search: { next } });
  };
  if (codes.length > 0) return <Page title="One more step" narrow><RecoveryCodes codes={codes} onSaved={goOn} /></Page>;
  return (
    <Page title="Set up your sign-in method" narrow>
      <p>This workspace asks for a second factor at sign-in. Set one up to go on.</p>
      <Failure of={held.error} />
      {held.isPending && <Loading />}
      {held.data && <MethodEnrolment held={held.data} options={{ bare: true }} onDone={(made) => (made.length > 0 ? setCodes(made) : goOn())}
        onFailed={(failure) => {
          if (isCode(failure, 'auth_mfa_required')) setProving(true);
          else if (isCode(failure, 'sign_in_again') || (failure instanceof Problem && failure.status === 401)) void signInAgain();
        }} />}
      {proving && (
        <StepUpDialog what="add a sign-in method" onProved={goOn} onRefused={() => setProving(false)} onSetUp={() => setProving(false)} />
      )}
      <hr />
      <Button onPress={signInAgain}>Sign in as somebody else</Button>
    </Page>
  );
}
