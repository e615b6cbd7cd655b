import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';

import type { SentCode, Way } from '../api/types';
import { failedSentence, looksAgain, resendAfter, sendLabel, sentSentence, waitAfter, waiting } from '../sent';

// A Wait is for how many seconds no further code is sent.
export interface Wait {
  left: number;
  sent: () => void;
  refused: (failure: unknown) => void;
}

export function useWait(): Wait {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() >= until) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [until]);
  const start = (seconds: number) => {
    if (seconds <= 0) return;
    setNow(Date.now());
    setUntil(Date.now() + seconds * 1000);
  };
  return {
    left: Math.max(0, Math.ceil((until - now) / 1000)),
    sent: () => start(resendAfter),
    refused: (failure) => start(waitAfter(failure)),
  };
}

// SendButton has a code sent, a first or a further one. It keeps the focus while
// it is of no use.
export function SendButton({ way, again, wait, pending, onSend }: {
  way: Way; again: boolean; wait: Wait; pending: boolean; onSend: () => void;
}) {
  const idle = pending || wait.left > 0;
  const look = again ? 'plain' : 'primary';
  return (
    <Button className={idle ? `${look} busy` : look} aria-disabled={idle} onPress={() => { if (!idle) onSend(); }}>
      {waiting(sendLabel(way, again), wait.left)}
    </Button>
  );
}

// How often it is looked what became of a code.
const lookEveryMillis = 3000;

// SentTo says where a code went and, as soon as that is known, that it did not
// go out; look asks what became of it.
export function SentTo({ way, code, look }: { way: Way; code: { id: string; sent_to?: string }; look: (id: string) => Promise<SentCode> }) {
  const to = code.sent_to ?? '';
  const state = useQuery({
    queryKey: ['sent', code.id], queryFn: () => look(code.id), gcTime: 0, staleTime: Infinity,
    initialData: { id: code.id, sent_to: to, delivery: 'queued' } satisfies SentCode as SentCode,
    refetchInterval: ({ state: { data, error } }) => (looksAgain(data?.delivery, error) ? lookEveryMillis : false),
  });
  if (state.data.delivery === 'failed') {
    return (
      <div role="alert" className="notice failure">
        <p>{failedSentence(way, to)} Have a new code sent, or use another method.</p>
      </div>
    );
  }
  return <p>{sentSentence(way, to)} It may take a minute to arrive.</p>;
}
