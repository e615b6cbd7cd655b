import type { NewUser, Profile, User } from './api/types';
import { roleFlags } from './text';

export const profileFields = ['first_name', 'last_name', 'phone', 'tags', 'description', 'shell'] as const;

// profileChanges returns what a form changes of an account's profile. Spaces at
// the ends are slips of who typed.
export function profileChanges(now: User, values: Record<string, string>): Partial<Profile> {
  const changes: Partial<Profile> = {};
  for (const field of profileFields) {
    const typed = values[field]?.replaceAll('\r\n', '\n');
    if (typed !== undefined && typed !== now[field] && typed.trim() !== now[field]) changes[field] = typed.trim();
  }
  return changes;
}

// newUser returns the account that a form describes; what is left empty is left
// to the API.
export function newUser(values: Record<string, string>): NewUser {
  const made: NewUser = { email: values['email']?.trim() ?? '' };
  for (const field of ['username', 'first_name', 'last_name'] as const) {
    const value = values[field]?.trim();
    if (value) made[field] = value;
  }
  if (values['password']) made.password = values['password'];
  const role = values['role'] ?? 'member';
  return role === 'member' ? made : { ...made, ...roleFlags(role) };
}
