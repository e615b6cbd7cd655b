import { useQuery } from '@tanstack/react-query';
import { Button } from 'react-aria-components';

import { ownFactors, signOut } from '../api/calls';
import { Problem } from '../api/problem';
import type { Method, VerifyAnswer } from '../api/types';
import { usesKeys } from '../api/webauthn';
import { waysOf } from '../stepup/methods';
import { Prove } from '../stepup/prove';
import { methodName } from '../text';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page } from '../ui/page';

interface Props {
  methods: Method[];
  onDone: (answer: VerifyAnswer) => void;
  onStartAgain: (why?: string) => void;
}

// FactorStep asks for the second factor with which a sign-in is finished.
export function FactorStep({ methods, onDone, onStartAgain }: Props) {
  // Where there are phones one chooses among them.
  const phones = methods.includes('phone');
  const held = useQuery({ queryKey: ['factors', 'sign-in'], queryFn: ownFactors, enabled: phones, gcTime: 0, staleTime: Infinity });
  const [first, ...others] = waysOf(methods, held.data ?? { results: [], phone_vias: [] }, usesKeys());
  const startAgain = async () => {
    await signOut().catch(() => undefined);
    onStartAgain();
  };
  const again = <Button onPress={startAgain}>Start again</Button>;
  return (
    <Page title="Verify that it is you" narrow>
      <Failure of={held.error} />
      {phones && held.isPending ? <Loading /> : first ? (
        <Prove ways={[first, ...others]} purpose="login" more={again} onDone={onDone} onFailed={(failure) => {
          if (failure instanceof Problem && failure.status === 401) onStartAgain('Signing in took too long. Start again.');
        }} />
      ) : (
        <>
          <Notice kind="warning">None of your sign-in methods can be used here: {methods.map(methodName).join(', ').toLowerCase()}.</Notice>
          <div className="actions">{again}</div>
        </>
      )}
    </Page>
  );
}
