import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';

import { deletePerson, removeMethods } from '../api/people';
import type { User, UserPatch } from '../api/types';
import { nameOf, roleFlags, roleName, roleOf } from '../text';
import { useAnnounce } from '../ui/announce';
import { Confirmed } from '../ui/confirm';
import { Field, FilledForm } from '../ui/fields';
import { Failure, Notice } from '../ui/notice';
import { RoleField, roleFields } from '../ui/role-field';

type Save = (p: UserPatch) => Promise<User>;

// PersonRole changes who is staff or a superuser.
export function PersonRole({ of: user, save }: { of: User; save: Save }) {
  const announce = useAnnounce();
  const change = useMutation({
    mutationFn: (role: string) => save(roleFlags(role)),
    onSuccess: () => announce('The role was saved.'),
  });
  return (
    <>
      <h2>Role</h2>
      {change.isSuccess && <Notice kind="success">The role was saved: {roleName(roleOf(user)).toLowerCase()}.</Notice>}
      <FilledForm submit="Save role" label="Role" fields={roleFields} pending={change.isPending} failure={change.error}
        onFill={(values) => change.mutate(values['role'] ?? '')}>
        <RoleField label="Role of the account" now={roleOf(user)} />
      </FilledForm>
    </>
  );
}

// PersonMethods removes the sign-in methods of somebody who lost them.
export function PersonMethods({ of: user }: { of: User }) {
  const announce = useAnnounce();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const remove = useMutation({
    mutationFn: (reason: string) => removeMethods(user.id, reason),
    onSuccess: async () => {
      announce('The sign-in methods were removed.');
      await queries.invalidateQueries({ queryKey: ['person', user.id] });
    },
  });
  const name = nameOf(user);
  if (user.mfa_methods.length === 0) return remove.isSuccess ? <Notice kind="success">The sign-in methods of {name} were removed.</Notice> : null;
  return (
    <>
      <h2>Sign-in methods</h2>
      <p>Remove them when {name} lost them. Make sure first who asks you for it: meet, or call back.</p>
      <Failure of={remove.error} />
      <DialogTrigger isOpen={open} onOpenChange={setOpen}>
        <Button className={remove.isPending ? 'busy' : 'plain'}>Remove all sign-in methods</Button>
        <ModalOverlay isDismissable className="overlay">
          <Modal className="modal">
            <Dialog role="alertdialog">
              <Heading slot="title" level={2}>Remove all sign-in methods of {name}?</Heading>
              <p>All sessions of {name} end. At the next sign-in the password is enough to set up a new method. {name} gets a mail about it.</p>
              <FilledForm submit="Remove" fields={['reason']} pending={remove.isPending} failure={null}
                more={<Button slot="close">Cancel</Button>}
                onFill={(values) => { setOpen(false); remove.mutate(values['reason']?.trim() ?? ''); }}>
                <Field name="reason" label="Reason" autoComplete="off" autoFocus hint="It stands in the audit log." />
              </FilledForm>
            </Dialog>
          </Modal>
        </ModalOverlay>
      </DialogTrigger>
    </>
  );
}

// PersonState disables, enables and deletes an account.
export function PersonState({ of: user, own, save }: { of: User; own: boolean; save: Save }) {
  const announce = useAnnounce();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (active: boolean) => save({ is_active: active }),
    onSuccess: (after) => announce(after.is_active ? 'The account was enabled.' : 'The account was disabled.'),
  });
  const remove = useMutation({
    mutationFn: () => deletePerson(user.id),
    onSuccess: async () => {
      announce('The account was deleted.');
      await navigate({ to: '/people', search: {} });
      queries.removeQueries({ queryKey: ['person', user.id] });
      await queries.invalidateQueries({ queryKey: ['people'] });
    },
  });
  if (own) return <><h2>Account</h2><p>This is your own account: only another administrator can disable or delete it.</p></>;
  const name = nameOf(user);
  return (
    <>
      <h2>Account</h2>
      <p>{user.is_active ? 'Who is disabled cannot sign in, and all their sessions end. Nothing is lost.' : 'This account is disabled: its owner cannot sign in.'}</p>
      <Failure of={change.error ?? remove.error} />
      <div className="actions">
        {user.is_active ? (
          <Confirmed label="Disable account" title={`Disable ${name}?`} act="Disable" onAct={() => { remove.reset(); change.mutate(false); }}>
            <p>All sessions of {name} end at once.</p>
          </Confirmed>
        ) : (
          <Button className={change.isPending ? 'busy' : 'plain'} onPress={() => { if (!change.isPending) change.mutate(true); }}>Enable account</Button>
        )}
        <Confirmed label="Delete account" title={`Delete ${name}?`} act="Delete" onAct={() => { change.reset(); remove.mutate(); }}>
          <p>The account and all its sessions end. This cannot be undone. What {name} did stays in the audit log.</p>
        </Confirmed>
      </div>
    </>
  );
}
