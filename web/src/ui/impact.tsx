import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

import type { Impact, ImpactSide } from '../api/roles';
import { impactSays, restSays, sideSays } from '../roles';
import { Failure, Loading } from './notice';

// previewLabel is what buttons are called that show an impact.
export const previewLabel = 'Preview who gains and loses what';

// ImpactList tells who gains and who loses what by a change.
export function ImpactList({ of: impact }: { of: Impact }) {
  const rest = restSays(impact);
  return (
    <>
      <p role="status" className="flush">{impactSays(impact)}</p>
      {impact.people.length + impact.applications.length > 0 && (
        <ul className="log" aria-label="Who gains and loses what">
          {impact.people.map((p) => (
            <li key={p.user.id}>
              <strong>{p.user.name}</strong>
              <Side label="gains" of={p.gained} />
              <Side label="loses" of={p.lost} />
            </li>
          ))}
          {impact.applications.map((a) => (
            <li key={a.application.id}>
              <strong>{a.application.name}</strong> (application)
              <Side label="gains" of={a.gained} />
              <Side label="loses" of={a.lost} />
            </li>
          ))}
        </ul>
      )}
      {rest && <p>{rest}</p>}
    </>
  );
}

function Side({ label, of: side }: { label: string; of: ImpactSide }) {
  return sideSays(side).map((line) => <div key={line}>{label} {line}</div>);
}

// Foreseen asks what a change would mean when it is shown, and tells it.
export function Foreseen({ look }: { look: () => Promise<Impact> }) {
  const key = useId();
  const impact = useQuery({ queryKey: ['impact', key], queryFn: look, gcTime: 0, staleTime: Infinity, retry: false });
  return (
    <>
      <Failure of={impact.error} />
      {impact.isPending && <Loading />}
      {impact.data && <ImpactList of={impact.data} />}
    </>
  );
}

// ForeseenDialog tells what a change would mean, and makes it when it is wanted.
export function ForeseenDialog({ title, of: impact, act, onAct, onCancel }: {
  title: string; of: Impact; act: string; onAct: () => void; onCancel: () => void;
}) {
  return (
    <ModalOverlay isOpen isDismissable onOpenChange={(open) => { if (!open) onCancel(); }} className="overlay">
      <Modal className="modal">
        <Dialog role="alertdialog">
          <Heading slot="title" level={2}>{title}</Heading>
          <ImpactList of={impact} />
          <div className="actions">
            <Button className="primary" onPress={onAct}>{act}</Button>
            <Button autoFocus onPress={onCancel}>Cancel</Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
