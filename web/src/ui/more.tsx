import { Button } from 'react-aria-components';

// More loads the next part of a list, as long as there is one.
export function More({ of: list, what }: { of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }; what: string }) {
  if (!list.hasNextPage) return null;
  return (
    <div className="actions"><Button onPress={() => void list.fetchNextPage()} className={list.isFetchingNextPage ? 'busy' : 'plain'}>More {what}</Button></div>
  );
}
