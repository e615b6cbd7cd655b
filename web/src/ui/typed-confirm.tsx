import { useState, type ReactNode } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { Problem } from '../api/problem';
import { Field, FilledForm } from './fields';

// TypedConfirm is a button that acts once the name of what it is about was
// typed.
export function TypedConfirm({ label, name, title, act, children, onAct }: {
  label: string; name: string; title: string; act: string; children: ReactNode; onAct: () => void;
}) {
  const [open, setOpen] = useState(false);
  const [other, setOther] = useState<Problem | null>(null);
  return (
    <DialogTrigger isOpen={open} onOpenChange={(next) => { setOther(null); setOpen(next); }}>
      <Button>{label}</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog role="alertdialog">
            <Heading slot="title" level={2}>{title}</Heading>
            {children}
            <FilledForm submit={act} fields={['name']} pending={false} failure={other} more={<Button slot="close">Cancel</Button>}
              onFill={(values) => {
                if (values['name'] !== name) return setOther(new Problem(0, 'other_name', 'This is another name.', 'name'));
                setOpen(false);
                return onAct();
              }}>
              <Field name="name" label={`Type ${name} to go on`} autoComplete="off" autoFocus />
            </FilledForm>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
