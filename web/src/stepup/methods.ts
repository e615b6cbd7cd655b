import type { Factors, Method } from '../api/types';
import { methodName } from '../text';

// proving returns the methods of a person that open protected actions. A
// recovery code never does (security, SU-4).
export const proving = (f: Factors): Method[] => f.step_up_methods.filter((m) => f.sign_in_methods.includes(m));

// lacking says why there is nothing to verify with, in this browser.
export function lacking(f: Factors): string {
  if (proving(f).length > 0) return 'This browser can use none of your methods that open protected actions. Use another browser, or set up another method.';
  if (f.results.length === 0) return 'This action needs a second factor, and you have none yet.';
  return `This action needs another sign-in method than you have. It takes: ${f.step_up_methods.map(methodName).join(', ').toLowerCase()}.`;
}
