import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { forgetDevice, knownDevices } from '../api/calls';
import { device, instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';

// KnownDevices lists the browsers in which the account signed in before.
export function KnownDevices() {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const list = useQuery({ queryKey: ['devices'], queryFn: knownDevices });
  const forget = useMutation({
    mutationFn: forgetDevice,
    onSuccess: () => {
      announce('The device was forgotten.');
      return queries.invalidateQueries({ queryKey: ['devices'] });
    },
  });
  const devices = list.data?.results ?? [];
  return (
    <>
      <h2>Known devices</h2>
      <p>Where you signed in before. A sign-in from elsewhere may be asked for more.</p>
      <Failure of={list.error ?? forget.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && devices.length === 0 && <p className="quiet">None yet.</p>}
      <ul className="cards" aria-label="Known devices">
        {devices.map((d) => {
          const name = device(d.device);
          return (
            <li key={d.id}>
              <div>
                <strong>{name}</strong> {d.current && <span className="tag">This device</span>}
                <dl className="facts">
                  <dt>Network</dt><dd>{d.network}</dd>
                  <dt>First seen</dt><dd><Time at={d.created_at}>{instant(d.created_at)}</Time></dd>
                  <dt>Last seen</dt><dd><Time at={d.seen_at}>{instant(d.seen_at)}</Time></dd>
                </dl>
              </div>
              <Confirmed label="Forget" name={`Forget ${name}${d.current ? ', this one' : ''}`} title="Forget this device?" act="Forget"
                onAct={() => forget.mutate(d.id)}>
                <p>Its next sign-in counts as one from a new device. Its sessions go on: end them above.</p>
              </Confirmed>
            </li>
          );
        })}
      </ul>
    </>
  );
}
