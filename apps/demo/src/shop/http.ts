/** An answer of a service. */
export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined when the body is none. */
  readonly body: unknown;
}

/**
 * One request.
 *
 * @throws when there is no answer in time
 */
export async function request(url: string, init: RequestInit = {}, timeoutMs = 5000): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) as unknown };
  } catch {
    return { status: response.status, body: undefined };
  }
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/**
 * The body of a GET that succeeded.
 *
 * @throws Error when it did not
 */
export async function get<T>(url: string, timeoutMs?: number): Promise<T> {
  const { status, body } = await request(url, {}, timeoutMs);
  if (status !== 200) throw new Error(`GET ${url} answered ${status}`);
  return body as T;
}

/**
 * Asks again until the answer is not undefined. A question that throws is asked again.
 *
 * @throws Error that says what was waited for
 */
export async function eventually<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let reason = '';
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      reason = `: ${(error as Error).message}`;
    }
    await pause(50);
  }
  throw new Error(`Waited ${Math.round(timeoutMs / 1000)} s for ${what}${reason}`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
