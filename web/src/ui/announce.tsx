import { createContext, useCallback, useContext, useState, type ReactNode } from 'react';

const Announce = createContext<(text: string) => void>(() => undefined);

// useAnnounce returns what tells screen readers about a change that sighted
// people see, without moving the focus.
export const useAnnounce = () => useContext(Announce);

export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: '', turn: 0 });
  const say = useCallback((text: string) => setSaid((before) => ({ text, turn: before.turn + 1 })), []);
  return (
    <Announce value={say}>
      {children}
      <div className="unseen" role="status" aria-live="polite">
        {/* The same sentence twice is a change too. */}
        <span key={said.turn}>{said.text}</span>
      </div>
    </Announce>
  );
}
