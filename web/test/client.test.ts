import { describe, expect, test } from 'vitest';

import { Client, type Gate } from '../src/api/client';
import { Problem } from '../src/api/problem';

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

const answer = (status: number, body?: unknown, headers: Record<string, string> = {}) =>
  new Response(body === undefined ? null : JSON.stringify(body), { status, headers });
const refusal = (status: number, code: string) => answer(status, { detail: 'No.', code, source: '' });

// clientOf answers the requests of a test in turn and writes down what was sent
// and what the gate was asked.
function clientOf(answers: (Response | Error)[], gate: Partial<Gate> = {}) {
  const sent: Sent[] = [];
  const asked: string[] = [];
  const client = new Client((path, init) => {
    sent.push({ method: init?.method ?? '', path: String(path), headers: { ...(init?.headers as Record<string, string>) }, body: init?.body });
    const next = answers.shift();
    if (!next) throw new Error('one request more than the test has answers');
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  client.open({
    stepUp: (what) => { asked.push(what ? `step-up to ${what}` : 'step-up'); return gate.stepUp?.(what) ?? Promise.resolve(); },
    signedOut: (why) => { asked.push(`signed out: ${why.code}`); },
    enrolmentRequired: () => { asked.push('enrolment'); },
    passwordChangeRequired: () => { asked.push('password change'); },
  });
  return { client, sent, asked };
}

const codeOf = (p: Promise<unknown>) => p.then(() => 'no failure', (f: unknown) => (f instanceof Problem ? f.code : String(f)));

describe('Client', () => {
  test('an answer is decoded', async () => {
    const { client, sent } = clientOf([answer(200, { ok: true })]);
    expect(await client.request('GET', '/api/x/')).toEqual({ ok: true });
    expect(sent).toEqual([{ method: 'GET', path: '/api/x/', headers: {}, body: undefined }]);
  });

  test('an unsafe request is JSON also without a body', async () => {
    const { client, sent } = clientOf([answer(204)]);
    expect(await client.request('DELETE', '/api/x/')).toBeUndefined();
    expect(sent[0]?.headers).toEqual({ 'Content-Type': 'application/json' });
  });

  test('a protected request is sent again after the proof', async () => {
    const { client, sent, asked } = clientOf([refusal(403, 'auth_mfa_required'), answer(200, { saved: true })]);
    expect(await client.request('PATCH', '/api/x/', { a: 1 }, { what: 'save' })).toEqual({ saved: true });
    expect(asked).toEqual(['step-up to save']);
    expect(sent.map((s) => s.body)).toEqual(['{"a":1}', '{"a":1}']);
  });

  test('a protected request is not sent again without the proof', async () => {
    const refused = () => Promise.reject(new Problem(0, 'step_up_cancelled', 'No.'));
    const { client, sent } = clientOf([refusal(403, 'auth_mfa_required')], { stepUp: refused });
    expect(await codeOf(client.request('PATCH', '/api/x/', {}))).toBe('step_up_cancelled');
    expect(sent).toHaveLength(1);
  });

  test('a proof is asked for once, also when it does not help', async () => {
    const { client, asked } = clientOf([refusal(403, 'auth_mfa_required'), refusal(403, 'auth_mfa_required')]);
    expect(await codeOf(client.request('PATCH', '/api/x/', {}))).toBe('auth_mfa_required');
    expect(asked).toEqual(['step-up']);
  });

  test('requests that wait for a proof share one question', async () => {
    let prove = () => {};
    const stepUp = () => new Promise<void>((done) => { prove = done; });
    const { client, asked } = clientOf(
      [refusal(403, 'auth_mfa_required'), refusal(403, 'auth_mfa_required'), answer(204), answer(204)], { stepUp });
    const both = Promise.all([client.request('DELETE', '/api/a/'), client.request('DELETE', '/api/b/')]);
    await new Promise((done) => setTimeout(done));
    prove();
    await both;
    expect(asked).toEqual(['step-up']);
  });

  test('a bare request opens nothing', async () => {
    for (const [status, code] of [[401, 'invalid_credentials'], [403, 'auth_mfa_required'], [403, 'enrolment_required'], [403, 'password_change_required']] as const) {
      const { client, asked } = clientOf([refusal(status, code)]);
      expect(await codeOf(client.request('POST', '/api/x/', {}, { bare: true }))).toBe(code);
      expect(asked).toEqual([]);
    }
  });

  test('an ended session leads to signing in, what is missing to its page', async () => {
    for (const [status, code, want] of [
      [401, 'session_invalid', 'signed out: session_invalid'], [403, 'enrolment_required', 'enrolment'],
      [403, 'password_change_required', 'password change'],
    ] as const) {
      const { client, asked } = clientOf([refusal(status, code)]);
      expect(await codeOf(client.request('GET', '/api/x/'))).toBe(code);
      expect(asked).toEqual([want]);
    }
  });

  test('a request under way while the handle changed is sent again', async () => {
    const { client, sent, asked } = clientOf([refusal(401, 'session_invalid'), answer(200, 1)]);
    const under = client.request('GET', '/api/x/');
    client.rose();
    expect(await under).toBe(1);
    expect(sent).toHaveLength(2);
    expect(asked).toEqual([]);
  });

  test('an answer without a body is none to read', async () => {
    expect(await clientOf([answer(202)]).client.request('POST', '/api/x/', {})).toBeUndefined();
  });

  test('no answer and an answer that is no JSON are problems too', async () => {
    expect(await codeOf(clientOf([new TypeError('offline')]).client.request('GET', '/api/x/'))).toBe('unreachable');
    const page = new Response('<html>', { status: 502 });
    expect(await codeOf(clientOf([page]).client.request('GET', '/api/x/'))).toBe('unreadable_answer');
    expect(await codeOf(clientOf([new Response('<html>', { status: 200 })]).client.request('GET', '/api/x/'))).toBe('unreadable_answer');
  });
});
