import { useState } from 'react';
import { Button, Checkbox, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

import type { PolicyImpact } from '../api/types';
import { Notice } from './notice';

const people = (n: number) => (n === 1 ? '1 person' : `${n} people`);

// ImpactDialog tells what a change of the allowed methods means for people
// before it is made. Whom it affects is acknowledged by number.
export function ImpactDialog({ of: impact, onSave, onCancel }: { of: PolicyImpact; onSave: () => void; onCancel: () => void }) {
  const [known, setKnown] = useState(false);
  const { affected_count: count, affected, superusers } = impact;
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => { if (!open) onCancel(); }} className="overlay">
      <Modal className="modal">
        <Dialog role="alertdialog">
          <Heading slot="title" level={2}>Change the sign-in methods?</Heading>
          {count === 0 ? <p>Nobody loses their last sign-in method.</p> : (
            <>
              <p>{people(count)} would have no allowed method left. They can sign in with an old one only to set up another:</p>
              <ul aria-label="Affected people">{affected.map((p) => <li key={p.id}>{p.name}</li>)}</ul>
              {count > affected.length && <p>And {people(count - affected.length)} more.</p>}
            </>
          )}
          {superusers === 0 ? (
            <Notice kind="warning"><p>No active superuser has a method that would open protected actions, so nobody could change this back. Set one up first.</p></Notice>
          ) : (
            <>
              <p>{superusers === 1 ? '1 superuser' : `${superusers} superusers`} can change it back.</p>
              {count > 0 && (
                <Checkbox isSelected={known} onChange={setKnown}><span className="box" aria-hidden="true" />I know that this affects {people(count)}</Checkbox>
              )}
            </>
          )}
          <div className="actions">
            {superusers > 0 && <Button className="danger" isDisabled={count > 0 && !known} onPress={onSave}>Change</Button>}
            <Button autoFocus onPress={onCancel}>Cancel</Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
