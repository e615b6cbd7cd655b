import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { Button } from 'react-aria-components';

import { approveDevice, denyDevice, lookUpDevice } from '../api/device';
import type { DeviceLogin } from '../api/types';
import { device, instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Notice } from '../ui/notice';
import { Page, Time } from '../ui/page';

export interface DeviceSearch {
  code?: string;
}

// DevicePage signs a command line in that shows a code. A link may bring the
// code along; the person still says that it is theirs. Source: RFC 8628
// section 5.4.
export function DevicePage({ code }: { code: string }) {
  const search = useSearch({ from: '/signed-in/device' });
  const announce = useAnnounce();
  const find = useMutation({ mutationFn: lookUpDevice });
  const decide = useMutation({
    mutationFn: async ({ allow, of }: { allow: boolean; of: string }) => {
      await (allow ? approveDevice(of) : denyDevice(of));
      return allow;
    },
    onSuccess: (allowed) => announce(allowed ? 'The device is signed in.' : 'The device was refused.'),
  });
  const again = () => {
    decide.reset();
    find.reset();
  };
  if (decide.isSuccess) {
    return decide.data ? (
      <Page title="The device is signed in">
        <p>Go back to it: it goes on by itself. You can end its session at any time under My sessions.</p>
      </Page>
    ) : (
      <Page title="The device was refused">
        <p>It was not signed in. When somebody sent you the code, tell an administrator of your workspace.</p>
      </Page>
    );
  }
  if (find.data) {
    const asked = find.data;
    const choose = (allow: boolean) => () => { if (!decide.isPending) decide.mutate({ allow, of: asked.user_code }); };
    return (
      <Page title="Sign this device in?">
        <Failure of={decide.error} />
        <Asking of={asked} />
        <Notice kind="warning">
          <p><strong>Only go on if you started this yourself, on this device, just now.</strong></p>
          <p>Whoever asked you for this, or sent you the link or the code, wants to act in your name: then deny it.</p>
        </Notice>
        <p>If you allow it, this device may do whatever you may do, until you end its session.</p>
        <div className="actions">
          <Button className={decide.isPending ? 'primary busy' : 'primary'} onPress={choose(true)}>Allow</Button>
          <Button className={decide.isPending ? 'danger busy' : 'danger'} onPress={choose(false)}>Deny</Button>
          {decide.isError && <Button onPress={again}>Enter a code again</Button>}
        </div>
      </Page>
    );
  }
  return (
    <Page title="Sign a device in">
      <p>Enter the code that the command line shows. Next you see which device it is.</p>
      <FilledForm submit="Go on" fields={['user_code']} pending={find.isPending} failure={find.error}
        onFill={(values) => find.mutate(values['user_code'] ?? '')}>
        <Field name="user_code" label="Code" autoComplete="off" autoFocus defaultValue={code || search.code || ''}
          hint="Eight letters, such as BCDF-GHJK. Compare it with the one on the device, letter by letter." />
      </FilledForm>
    </Page>
  );
}

function Asking({ of: a }: { of: DeviceLogin }) {
  return (
    <dl className="facts">
      <dt>Code</dt><dd><code>{a.user_code}</code></dd>
      <dt>Program</dt><dd>{a.client_name}</dd>
      <dt>Calls itself</dt><dd>{device(a.user_agent)}</dd>
      {a.device_id && <><dt>Device</dt><dd>{a.device_id}</dd></>}
      <dt>Address</dt><dd>{a.address}</dd>
      <dt>Asked</dt><dd><Time at={a.requested_at}>{instant(a.requested_at)}</Time></dd>
      <dt>Open until</dt><dd><Time at={a.expires_at}>{instant(a.expires_at)}</Time></dd>
    </dl>
  );
}
