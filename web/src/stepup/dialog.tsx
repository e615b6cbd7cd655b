import { useMutation, useQuery } from '@tanstack/react-query';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { ownFactors } from '../api/calls';
import { isCode, Problem } from '../api/problem';
import { CodeField, FilledForm } from '../ui/fields';
import { Failure, Loading } from '../ui/notice';
import { useVerification } from './challenge';

export const cancelled = () =>
  new Problem(0, 'step_up_cancelled', 'Nothing was changed: you did not verify your second factor.');

interface Outcome {
  onProved: () => void;
  onRefused: (why: Problem) => void;
  onSetUp: () => void; // there is no method to verify with
}

// StepUpDialog asks for a fresh proof by a second factor.
export function StepUpDialog(outcome: Outcome) {
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => { if (!open) outcome.onRefused(cancelled()); }} className="overlay">
      <Modal className="modal">
        <Dialog>
          <Heading slot="title" level={2}>Verify that it is you</Heading>
          <Proof {...outcome} />
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Proof({ onProved, onRefused, onSetUp }: Outcome) {
  const verification = useVerification('step_up');
  const factors = useQuery({ queryKey: ['factors', 'step-up'], queryFn: ownFactors, gcTime: 0, staleTime: 0 });
  const answer = useMutation({
    mutationFn: (code: string) => verification.answer('otp', code),
    onSuccess: onProved,
    onError: (failure) => {
      if (failure instanceof Problem && failure.status === 401) onRefused(failure);
    },
  });
  const cancel = <Button onPress={() => onRefused(cancelled())}>Cancel</Button>;
  if (factors.isPending) return <Loading />;
  if (factors.isError) return <><Failure of={factors.error} /><div className="actions">{cancel}</div></>;
  // A recovery code opens no protected action (security, SU-4).
  if (!factors.data.results.some((f) => f.method === 'otp')) {
    return (
      <>
        <p>This action needs a second factor, and you have none yet.</p>
        <div className="actions">
          <Button className="primary" autoFocus onPress={onSetUp}>Set up a sign-in method</Button>
          {cancel}
        </div>
      </>
    );
  }
  return (
    <>
      <p>This action is protected. Your verification counts for a while, so that you are not asked each time.</p>
      <FilledForm submit="Verify" fields={['code']} pending={answer.isPending} more={cancel}
        failure={isCode(answer.error, 'mfa_method_unavailable') ? new Problem(0, '', 'Your methods are not allowed here any more.') : answer.error}
        onFill={(values) => answer.mutate(values['code'] ?? '')}>
        <CodeField />
      </FilledForm>
    </>
  );
}
