import type { Role } from '../api/types';
import { ChoiceField } from './fields';

export const roleFields = ['role', 'is_staff', 'is_superuser']; // as refusals name it

const choices = [
  { value: 'member', label: 'Member' },
  { value: 'staff', label: 'Staff: manages people and servers' },
  { value: 'superuser', label: 'Superuser: may do everything' },
];

export function RoleField({ label = 'Role', now = 'member' }: { label?: string; now?: Role }) {
  return <ChoiceField name="role" label={label} choices={choices} defaultValue={now} also={['is_staff', 'is_superuser']} />;
}
