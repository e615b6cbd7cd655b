// Device login: a command line elsewhere is signed in by its user code. Source:
// RFC 8628.
import { client } from './calls';
import type { DeviceLogin } from './types';

export const lookUpDevice = (code: string) => client.request<DeviceLogin>('POST', '/api/auth/device/lookup/', { user_code: code });
export const approveDevice = (code: string) => client.request<void>('POST', '/api/auth/device/approve/', { user_code: code });
export const denyDevice = (code: string) => client.request<void>('POST', '/api/auth/device/deny/', { user_code: code });
