// Links that are mailed: how they are asked for, and what they open. Nobody
// needs to be signed in for it.
import { client } from './calls';

const open = <T>(path: string, body: object) => client.request<T>('POST', path, body, { bare: true });

export const forgotPassword = (login: string) => open<{ detail: string }>('/api/auth/password/forgot/', { login });
export const resetPassword = (token: string, password: string) => open<void>('/api/auth/password/reset/', { token, password });
export const confirmEmail = (token: string) => open<void>('/api/auth/email/confirm/', { token });
export const undoEmail = (token: string) => open<void>('/api/auth/email/undo/', { token });
export const notMe = (token: string) => open<void>('/api/auth/report/', { token });
export const mailUnlock = (login: string) => open<unknown>('/api/auth/unlock/', { login });
