import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

import { client } from '../api/calls';
import type { Problem } from '../api/problem';
import { StepUpDialog, cancelled } from './dialog';

interface Waiting {
  what: string;
  proved: () => void;
  refused: (why: Problem) => void;
}

// Gate shows what requests ask for: the step-up dialog, or the pages on which
// to sign in and to set up a method.
export function Gate() {
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const navigate = useNavigate();
  const queries = useQueryClient();
  useEffect(() => {
    const here = () => location.pathname + location.search;
    client.open({
      stepUp: (what) => new Promise((proved, refused) => setWaiting({ what, proved, refused })),
      signedOut: (why) => {
        if (location.pathname === '/signin') return;
        queries.clear();
        void navigate({ to: '/signin', search: { next: here(), ...(why.code === 'session_invalid' ? { ended: true } : {}) } });
      },
      enrolmentRequired: () => {
        if (location.pathname !== '/enrolment') void navigate({ to: '/enrolment', search: { next: here() } });
      },
      passwordChangeRequired: () => {
        if (location.pathname !== '/change-password') void navigate({ to: '/change-password', search: { next: here() } });
      },
    });
  }, [navigate, queries]);
  if (!waiting) return null;
  const close = (then: () => void) => { setWaiting(null); then(); };
  return (
    <StepUpDialog
      what={waiting.what}
      onProved={() => close(waiting.proved)}
      onRefused={(why) => close(() => waiting.refused(why))}
      onSetUp={() => close(() => { waiting.refused(cancelled()); void navigate({ to: '/account/security' }); })}
    />
  );
}
