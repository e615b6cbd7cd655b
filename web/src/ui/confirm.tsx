import { useState, type ReactNode } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

// Confirmed is a button that asks once more before it acts.
export function Confirmed({ label, name, title, act, children, onAct }: {
  label: string; name?: string; title: string; act: string; children: ReactNode; onAct: () => void;
}) {
  const [open, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <Button {...(name ? { 'aria-label': name } : {})}>{label}</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog role="alertdialog">
            <Heading slot="title" level={2}>{title}</Heading>
            {children}
            <div className="actions">
              <Button className="danger" onPress={() => { setOpen(false); onAct(); }}>{act}</Button>
              <Button slot="close" autoFocus>Cancel</Button>
            </div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
