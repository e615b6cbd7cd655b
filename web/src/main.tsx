import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';

import { Problem } from './api/problem';
import { isLinkPage, open } from './opened';
import { routerFor } from './routes';
import './style.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The server has tried again already; a connection may come back.
      retry: (count, failure) => count < 1 && failure instanceof Problem && (failure.status === 0 || failure.status === 503)
        && failure.code !== 'step_up_cancelled',
      refetchOnWindowFocus: false,
    },
  },
});

const place = document.getElementById('root');
if (place) {
  const opened = open(location, history);
  // Another link, put into the address of the same page, is opened anew.
  addEventListener('hashchange', () => {
    if (location.hash && isLinkPage(location.pathname)) location.reload();
  });
  createRoot(place).render(
    <QueryClientProvider client={queries}>
      <RouterProvider router={routerFor(opened)} />
    </QueryClientProvider>,
  );
}
