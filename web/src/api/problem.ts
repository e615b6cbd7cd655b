// A Problem is a refusal of the API, or a failure to reach it. Its message is
// the sentence for people.
export class Problem extends Error {
  constructor(
    readonly status: number, // 0 when no answer came
    readonly code: string,
    detail: string,
    readonly source = '',
    readonly requestID = '',
    readonly decisionID = '',
    readonly retryAfterSeconds = 0,
  ) {
    super(detail);
  }
}

const unreadable = 'The answer of the server could not be read. Try again.';

// problemOf reads the problem document of an answer. What is none, such as a
// page of a proxy in between, is described by its status only.
export async function problemOf(answer: Response): Promise<Problem> {
  const retryAfter = Number(answer.headers.get('Retry-After') ?? '0');
  const text = (field: unknown): string => (typeof field === 'string' ? field : '');
  let body: unknown;
  try {
    body = await answer.json();
  } catch {
    body = null;
  }
  if (typeof body !== 'object' || body === null) return new Problem(answer.status, 'unreadable_answer', unreadable);
  const fields = body as Record<string, unknown>;
  return new Problem(
    answer.status,
    text(fields['code']) || 'unreadable_answer',
    text(fields['detail']) || unreadable,
    text(fields['source']),
    text(fields['request_id']),
    text(fields['decision_id']),
    Number.isFinite(retryAfter) && retryAfter > 0 ? Math.ceil(retryAfter) : 0,
  );
}

// sentenceOf is what people read of any failure.
export function sentenceOf(failure: unknown): string {
  if (!(failure instanceof Problem)) return 'Something went wrong in the console. Reload the page.';
  if (failure.retryAfterSeconds === 0) return failure.message;
  const [count, unit] = failure.retryAfterSeconds < 60 ? [failure.retryAfterSeconds, 'second'] : [Math.ceil(failure.retryAfterSeconds / 60), 'minute'];
  return `${failure.message} Try again in ${count === 1 ? `a ${unit}` : `${count} ${unit}s`}.`;
}

// isCode reports whether a failure is the refusal with this code.
export function isCode(failure: unknown, code: string): failure is Problem {
  return failure instanceof Problem && failure.code === code;
}
