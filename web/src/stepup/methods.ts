import type { Factors, Method, Way } from '../api/types';
import { callOrText } from '../sent';
import { methodName, offered } from '../text';

// proving returns the methods of a person that open protected actions. A
// recovery code never does (security, SU-4).
export const proving = (f: Factors): Method[] => f.step_up_methods.filter((m) => f.sign_in_methods.includes(m));

// waysOf returns the ways to prove some methods, best first: a phone that was set
// up later comes before older ones, with each way in which codes go there. keys
// tells whether this browser can ask security keys.
export function waysOf(methods: Method[], f: Pick<Factors, 'results' | 'phone_vias'>, keys: boolean): Way[] {
  const phones = f.results.filter((r) => r.method === 'phone').reverse();
  return offered(methods, keys).flatMap((method): Way[] => (method === 'phone'
    ? phones.flatMap((p) => f.phone_vias.map((via) => ({ method, via, factor: p.id, to: `${p.name}, ${p.sent_to}` })))
    : [{ method }]));
}

export const keyOf = ({ method, via = '', factor = '' }: Way): string => [method, via, factor].join(' ');

export const wayName = (way: Way): string => (way.method === 'phone' ? `${callOrText(way)} to ${way.to ?? 'your phone'}` : methodName(way.method));

// lacking says why there is nothing to verify with, in this browser.
export function lacking(f: Factors): string {
  if (proving(f).includes('phone') && f.phone_vias.length === 0) return 'Codes are not sent to phones here any more. Ask an administrator, or set up another method.';
  if (proving(f).length > 0) return 'This browser can use none of your methods that open protected actions. Use another browser, or set up another method.';
  if (f.results.length === 0) return 'This action needs a second factor, and you have none yet.';
  return `This action needs another sign-in method than you have. It takes: ${f.step_up_methods.map(methodName).join(', ').toLowerCase()}.`;
}
