import { useQuery } from '@tanstack/react-query';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { ownFactors } from '../api/calls';
import { Problem } from '../api/problem';
import { usesKeys } from '../api/webauthn';
import { Failure, Loading } from '../ui/notice';
import { lacking, proving, waysOf } from './methods';
import { Prove } from './prove';

export const cancelled = () =>
  new Problem(0, 'step_up_cancelled', 'Nothing was changed: you did not verify your second factor.');

interface Outcome {
  what: string; // it is for, in words that follow "To"; '' where that is not known
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

function Proof({ what, onProved, onRefused, onSetUp }: Outcome) {
  const factors = useQuery({ queryKey: ['factors', 'step-up'], queryFn: ownFactors, gcTime: 0, staleTime: 0 });
  const cancel = <Button onPress={() => onRefused(cancelled())}>Cancel</Button>;
  if (factors.isPending) return <Loading />;
  if (factors.isError) return <><Failure of={factors.error} /><div className="actions">{cancel}</div></>;
  const [first, ...others] = waysOf(proving(factors.data), factors.data, usesKeys());
  if (!first) {
    return (
      <>
        <p>{lacking(factors.data)}</p>
        <div className="actions">
          <Button className="primary" autoFocus onPress={onSetUp}>Set up a sign-in method</Button>
          {cancel}
        </div>
      </>
    );
  }
  return (
    <>
      <p>{what ? `To ${what} you verify your second factor.` : 'This action is protected.'} Your verification counts for a while, so that you are not asked each time.</p>
      <Prove ways={[first, ...others]} purpose="step_up" more={cancel} onDone={onProved} onFailed={(failure) => {
        if (failure instanceof Problem && failure.status === 401) onRefused(failure);
      }} />
    </>
  );
}
