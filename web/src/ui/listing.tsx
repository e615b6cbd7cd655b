import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components';

import type { NumberedPage } from '../api/types';
import { Field, FilledForm } from './fields';
import { Failure, Loading } from './notice';

// ListSearch is where in a list one is: a page, and what narrows it.
export interface ListSearch {
  page?: number;
  name?: string;
}

type ListPath = '/people' | '/groups' | '/servers' | '/applications' | '/roles';

interface Narrowing {
  field: string; // as the form's field is called
  label: string;
  hint: string;
  all: string; // says how to see the whole list again
}

interface ListingProps<T> {
  path: ListPath;
  title: string;
  load: (page: number, name: string) => Promise<NumberedPage<T>>;
  // narrow is the field that narrows the list; undefined shows none.
  narrow?: Narrowing | undefined;
  // counted says how many there are; name is what narrows them, '' for nothing.
  counted?: (count: number, name: string) => string;
  row: (of: T) => ReactNode;
}

// Listing shows a list in pages, with what finds in it.
export function Listing<T>({ path, title, load, narrow, counted, row }: ListingProps<T>) {
  const search: ListSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const page = search.page ?? 1;
  const name = search.name ?? '';
  const list = useQuery({ queryKey: [path.slice(1), page, name], queryFn: () => load(page, name), placeholderData: keepPreviousData });
  const go = (to: ListSearch) => void navigate({ to: path, search: to });
  return (
    <>
      {narrow && (
        <FilledForm key={name} submit="Find" label="Find" fields={[narrow.field]} pending={false} failure={null}
          onFill={(values) => go({ name: values[narrow.field]?.trim() ?? '' })}
          more={name !== '' && <Button onPress={() => go({})}>{narrow.all}</Button>}>
          <Field name={narrow.field} label={narrow.label} autoComplete="off" defaultValue={name} hint={narrow.hint} />
        </FilledForm>
      )}
      <Failure of={list.error} />
      {list.isPending && <Loading />}
      {list.data && (
        <>
          {counted && <p role="status" className="quiet">{counted(list.data.count, name)}</p>}
          <ul className="cards" aria-label={title}>{list.data.results.map(row)}</ul>
          {list.data.last > 1 && <Turn path={path} title={title} current={list.data.current} last={list.data.last} search={search} />}
        </>
      )}
    </>
  );
}

// useNarrowed reports whether the list that is shown is narrowed.
export function useNarrowed(): boolean {
  const search: ListSearch = useSearch({ strict: false });
  return (search.name ?? '') !== '';
}

function Turn({ path, title, current, last, search }: { path: ListPath; title: string; current: number; last: number; search: ListSearch }) {
  return (
    <nav aria-label={`Pages of ${title.toLowerCase()}`} className="actions">
      {current > 1 && <Link className="button" to={path} search={{ ...search, page: Math.min(current - 1, last) }}>Previous page</Link>}
      <span role="status">Page {current} of {last}</span>
      {current < last && <Link className="button" to={path} search={{ ...search, page: current + 1 }}>Next page</Link>}
    </nav>
  );
}
