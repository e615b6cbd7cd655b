import { Fragment, useState } from 'react';
import { Button, Checkbox, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

import type { PolicyImpact, SecurityPatch } from '../api/types';
import { counted, weighed } from '../settings';
import { Notice } from './notice';

// ImpactDialog tells what a change of the policy means for people before it is
// made. Who would lose their last method is acknowledged by number.
export function ImpactDialog({ patch, of: impact, onSave, onCancel }: {
  patch: SecurityPatch; of: PolicyImpact; onSave: () => void; onCancel: () => void;
}) {
  const [known, setKnown] = useState(false);
  const { affected_count: count, superusers } = impact;
  const methods = patch.allowed_mfa_methods !== undefined || patch.step_up_methods !== undefined;
  const shut = methods && superusers === 0; // which the API refuses
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => { if (!open) onCancel(); }} className="overlay">
      <Modal className="modal">
        <Dialog role="alertdialog">
          <Heading slot="title" level={2}>{methods ? 'Change the sign-in methods?' : 'Demand a second factor of everybody?'}</Heading>
          {weighed(patch, impact).map((w) => (
            <Fragment key={w.says}>
              <p>{w.says}</p>
              {w.list && <ul aria-label={w.list}>{w.people.map((p) => <li key={p.id}>{p.name}</li>)}</ul>}
              {w.count > w.people.length && <p>And {counted(w.count - w.people.length)} more.</p>}
            </Fragment>
          ))}
          {shut && (
            <Notice kind="warning"><p>No active superuser has a method that would open protected actions, so nobody could change this back. Set one up first.</p></Notice>
          )}
          {methods && !shut && <p>{superusers === 1 ? '1 superuser' : `${superusers} superusers`} can change it back.</p>}
          {!shut && count > 0 && (
            <Checkbox isSelected={known} onChange={setKnown}><span className="box" aria-hidden="true" />I know that this affects {counted(count)}</Checkbox>
          )}
          <div className="actions">
            {!shut && <Button className="danger" isDisabled={count > 0 && !known} onPress={onSave}>Change</Button>}
            <Button autoFocus onPress={onCancel}>Cancel</Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
