import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { addNote, deleteNote, notes, patchNote, type Note, type NoteFields, type Server } from '../api/servers';
import { instant } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Field, FilledForm, ListField } from '../ui/fields';
import { More } from '../ui/more';
import { Failure, Loading } from '../ui/notice';
import { Time } from '../ui/page';
import { meQuery } from '../ui/shell';

// ServerNotes lists the notes on a server that one may read.
export function ServerNotes({ of: s }: { of: Server }) {
  const queries = useQueryClient();
  const announce = useAnnounce();
  const me = useQuery(meQuery);
  const key = ['server', s.id, 'notes'];
  const list = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => notes(s.id, pageParam),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next || undefined,
  });
  const changed = (what: string) => {
    announce(what);
    return queries.invalidateQueries({ queryKey: key });
  };
  const remove = useMutation({ mutationFn: (n: Note) => deleteNote(n.id), onSuccess: () => changed('The note was deleted.') });
  const all = list.data?.pages.flatMap((p) => p.results) ?? [];
  return (
    <>
      <h2>Notes</h2>
      <Failure of={list.error ?? remove.error} />
      {list.isPending && <Loading />}
      {list.isSuccess && all.length === 0 && <p className="quiet">None yet.</p>}
      <ul className="cards" aria-label="Notes">
        {all.map((n) => {
          const own = n.author.id === me.data?.id;
          const from = `of ${n.author.name || 'somebody who is gone'}, ${instant(n.added_at)}`;
          return (
            <li key={n.id}>
              <div>
                <div className="lines">{n.content}</div>
                <div className="quiet">
                  {n.author.name || 'Somebody who is gone'}, <Time at={n.added_at}>{instant(n.added_at)}</Time>{' '}
                  {n.pinned && <span className="tag">pinned</span>} {n.private && <span className="tag">only you see it</span>}
                </div>
              </div>
              <div className="actions">
                {s.allowed.includes('note:update') && <Change of={n} own={own} from={from} onChanged={() => changed('The note was saved.')} />}
                {s.allowed.includes('note:delete') && (
                  <Confirmed label="Delete" name={`Delete the note ${from}`} title="Delete this note?" act="Delete" onAct={() => remove.mutate(n)}>
                    <p className="lines">{n.content}</p>
                  </Confirmed>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      <More of={list} what="notes" />
      {s.allowed.includes('note:create') && <Addition to={s} onAdded={() => changed('The note was written.')} />}
    </>
  );
}

const kinds = [{ value: 'pinned', label: 'Pinned' }, { value: 'private', label: 'Private: only its author sees it' }];

const fieldsOf = (values: Record<string, string>, chosen: string[]): NoteFields => ({
  content: values['content']?.replaceAll('\r\n', '\n').trim() ?? '', pinned: chosen.includes('pinned'), private: chosen.includes('private'),
});

function Addition({ to: s, onAdded }: { to: Server; onAdded: () => Promise<void> }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const add = useMutation({ mutationFn: (n: NoteFields) => addNote(s.id, n), onSuccess: onAdded });
  return (
    <FilledForm submit="Write note" label="New note" fields={['content']} pending={add.isPending} failure={add.error}
      onFill={(values, reset) => add.mutate(fieldsOf(values, chosen), { onSuccess: () => { reset(); setChosen([]); } })}>
      <Field name="content" label="New note" autoComplete="off" lines={3} />
      <ListField name="kind" label="How it is shown" choices={kinds} value={chosen} onChange={setChosen} />
    </FilledForm>
  );
}

function Change({ of: n, own, from, onChanged }: { of: Note; own: boolean; from: string; onChanged: () => Promise<void> }) {
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(kinds.map((k) => k.value).filter((k) => (k === 'pinned' ? n.pinned : n.private)));
  const change = useMutation({
    mutationFn: ({ pinned, ...rest }: NoteFields) => patchNote(n.id, { pinned, ...(own ? rest : {}) }), // what others wrote is theirs
    onSuccess: () => {
      setOpen(false);
      return onChanged();
    },
  });
  return (
    <DialogTrigger isOpen={open} onOpenChange={(next) => { change.reset(); setOpen(next); }}>
      <Button aria-label={`Change the note ${from}`}>Change</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>
            <Heading slot="title" level={2}>Change the note</Heading>
            <FilledForm submit="Save" label="Note" fields={['content']} pending={change.isPending} failure={change.error}
              more={<Button slot="close">Cancel</Button>} onFill={(values) => change.mutate(fieldsOf(values, chosen))}>
              {own ? <Field name="content" label="Note" autoComplete="off" lines={4} defaultValue={n.content} /> : <p className="lines">{n.content}</p>}
              <ListField name="kind" label="How it is shown" choices={own ? kinds : kinds.slice(0, 1)} value={chosen} onChange={setChosen} />
            </FilledForm>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
