import { useMutation, useQuery } from '@tanstack/react-query';
import { Button } from 'react-aria-components';

import { lookUpLine, verifyLine } from '../api/calls';
import { isCode } from '../api/problem';
import { device, instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Failure, Loading, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';

// VerifyPage gives the verification that a command line of one's own waits for.
// Whoever opens it sees which one that is, and from where it asks.
export function VerifyPage({ token }: { token: string }) {
  const announce = useAnnounce();
  const line = useQuery({ queryKey: ['verify', token], queryFn: () => lookUpLine(token), enabled: token !== '', gcTime: 0, staleTime: Infinity });
  const give = useMutation({ mutationFn: () => verifyLine(token), onSuccess: () => announce('The command line is verified.') });
  if (token === '') {
    return (
      <Page title="Verify a command line">
        <p>Open this page with the link that the command line shows. For your safety this page takes the link out of the address: after a reload, open it again.</p>
      </Page>
    );
  }
  if (give.isSuccess) {
    return (
      <Page title="The command line is verified">
        <p>Go back to it: it goes on by itself. Its verification counts as long as the one of this browser.</p>
      </Page>
    );
  }
  const ended = isCode(give.error, 'verification_not_found');
  return (
    <Page title="Verify this command line?">
      <Failure of={give.error ?? line.error} />
      {line.isPending && <Loading />}
      {line.data && !ended && (
        <>
          <dl className="facts">
            <dt>Calls itself</dt><dd>{device(line.data.user_agent)}</dd>
            <dt>Address</dt><dd>{line.data.address}</dd>
            <dt>Asked</dt><dd><Time at={line.data.requested_at}>{instant(line.data.requested_at)}</Time></dd>
            <dt>Open until</dt><dd><Time at={line.data.expires_at}>{instant(line.data.expires_at)}</Time></dd>
          </dl>
          <Notice kind="warning">
            <p><strong>Only go on if you started this yourself, on this command line, just now.</strong></p>
            <p>Whoever sent you this link wants to act in your name: then close this page, and nothing happens.</p>
          </Notice>
          <p>If you verify it, this command line may do protected actions in your name for a while.</p>
          <div className="actions">
            <Button className={give.isPending ? 'primary busy' : 'primary'} onPress={() => { if (!give.isPending) give.mutate(); }}>Verify</Button>
          </div>
        </>
      )}
    </Page>
  );
}
