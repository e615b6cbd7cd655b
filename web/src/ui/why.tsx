import { useQuery } from '@tanstack/react-query';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { decision } from '../api/why';
import { instant } from '../text';
import { ExplanationShown } from './explanation';
import { Failure, Loading } from './notice';
import { Time } from './page';

// Why opens what a decision says that refused something.
export function Why({ decision: id }: { decision: string }) {
  return (
    <DialogTrigger>
      <Button>Why?</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>
            <Heading slot="title" level={2}>Why this was refused</Heading>
            <Refusal id={id} />
            <div className="actions"><Button slot="close" autoFocus>Close</Button></div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}

function Refusal({ id }: { id: string }) {
  const one = useQuery({ queryKey: ['decision', id], queryFn: () => decision(id), gcTime: 0 });
  if (!one.data) return <><Failure of={one.error} />{one.isPending && <Loading />}</>;
  const d = one.data;
  return (
    <>
      <dl className="facts">
        <dt>Asked</dt><dd><code>{d.permission}</code>{d.object && <> on <code>{d.object}</code></>}</dd>
        <dt>By</dt><dd>{d.method} {d.route}</dd>
        <dt>At</dt><dd><Time at={d.at}>{instant(d.at)}</Time></dd>
        <dt>Failed</dt><dd>{d.failing_condition}</dd>
        <dt>Decision</dt><dd><code>{d.id}</code></dd>
      </dl>
      {d.explanation && <><h3>As things are now</h3><ExplanationShown of={d.explanation} /></>}
    </>
  );
}
