import { Problem, problemOf } from './problem';

// A Gate is what the pages do when a request needs more than it has.
export interface Gate {
  // stepUp resolves when a fresh proof was given, and rejects when the person
  // would not. what says what it is for; '' where that is not known.
  stepUp(what: string): Promise<void>;
  signedOut(why: Problem): void;
  enrolmentRequired(): void;
  passwordChangeRequired(): void;
}

export interface Options {
  // bare requests are part of signing in or proving: their refusals are
  // answers for the page that asked, and open nothing.
  bare?: boolean;
  what?: string; // what the request does, in words that follow "To"
}

// A Client sends requests to the API of the page's own origin. A request that
// needs a fresh proof is repeated once after the person gave one; one that was
// under way while the session got a new handle is repeated once with it.
export class Client {
  #rises = 0; // how often the session got a new handle
  #gate: Gate | null = null;
  #proving: Promise<void> | null = null;

  constructor(private readonly send: typeof fetch) {}

  open(gate: Gate): void {
    this.#gate = gate;
  }

  // rose notes that an answer brought a new session handle.
  rose(): void {
    this.#rises++;
  }

  async request<T>(method: string, path: string, body?: unknown, options: Options = {}): Promise<T> {
    const rises = this.#rises;
    let answer = await this.#once(method, path, body);
    if (answer.status === 401 && this.#rises !== rises) answer = await this.#once(method, path, body);
    if (answer.ok) return read<T>(answer);
    let problem = await problemOf(answer);
    if (options.bare) throw problem;
    if (problem.code === 'auth_mfa_required' && this.#gate) {
      await this.#prove(this.#gate, options.what ?? '');
      answer = await this.#once(method, path, body);
      if (answer.ok) return read<T>(answer);
      problem = await problemOf(answer);
    }
    if (problem.status === 401) this.#gate?.signedOut(problem);
    if (problem.code === 'enrolment_required') this.#gate?.enrolmentRequired();
    if (problem.code === 'password_change_required') this.#gate?.passwordChangeRequired();
    throw problem;
  }

  // #prove asks for one proof, however many requests wait for it.
  #prove(gate: Gate, what: string): Promise<void> {
    this.#proving ??= gate.stepUp(what).finally(() => {
      this.#proving = null;
    });
    return this.#proving;
  }

  async #once(method: string, path: string, body: unknown): Promise<Response> {
    const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', redirect: 'error' };
    // The API takes unsafe requests only as JSON, also without a body.
    if (method !== 'GET') init.headers = { 'Content-Type': 'application/json' };
    if (body !== undefined) init.body = JSON.stringify(body);
    try {
      return await this.send(path, init);
    } catch {
      throw new Problem(0, 'unreachable', 'The server cannot be reached. Check the connection and try again.');
    }
  }
}

async function read<T>(answer: Response): Promise<T> {
  if (answer.status === 204) return undefined as T;
  try {
    const text = await answer.text();
    return (text === '' ? undefined : JSON.parse(text)) as T; // 202 may come without a body
  } catch {
    throw new Problem(answer.status, 'unreadable_answer', 'The answer of the server could not be read. Try again.');
  }
}
