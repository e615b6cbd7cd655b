import { Button } from 'react-aria-components';

import { signOut } from '../api/calls';
import { Problem } from '../api/problem';
import type { Method, VerifyAnswer } from '../api/types';
import { usesKeys } from '../api/webauthn';
import { Prove } from '../stepup/prove';
import { methodName, offered } from '../text';
import { Notice } from '../ui/notice';
import { Page } from '../ui/page';

interface Props {
  methods: Method[];
  onDone: (answer: VerifyAnswer) => void;
  onStartAgain: (why?: string) => void;
}

// FactorStep asks for the second factor with which a sign-in is finished.
export function FactorStep({ methods, onDone, onStartAgain }: Props) {
  const [first, ...others] = offered(methods, usesKeys());
  const startAgain = async () => {
    await signOut().catch(() => undefined);
    onStartAgain();
  };
  const again = <Button onPress={startAgain}>Start again</Button>;
  return (
    <Page title="Verify that it is you" narrow>
      {first ? (
        <Prove methods={[first, ...others]} purpose="login" more={again} onDone={onDone} onFailed={(failure) => {
          if (failure instanceof Problem && failure.status === 401) onStartAgain('Signing in took too long. Start again.');
        }} />
      ) : (
        <>
          <Notice kind="warning">This browser can use none of your sign-in methods: {methods.map(methodName).join(', ').toLowerCase()}.</Notice>
          <div className="actions">{again}</div>
        </>
      )}
    </Page>
  );
}
