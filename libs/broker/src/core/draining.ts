import { pause } from './pause.js';

/**
 * Waits for what has begun when a service stops: it must end, also where a handler does not.
 *
 * @param ms how long to wait at most
 * @param giveUp called when that was not enough
 */
export async function drained(work: Promise<unknown>, ms: number, giveUp: () => void): Promise<void> {
  const done = new AbortController();
  const late = pause(ms, done.signal).then((isLate) => isLate && giveUp());
  await Promise.race([work, late]);
  done.abort();
}

/** What the signal of an abandoned handler says. */
export function stoppedAfter(ms: number): Error {
  return new Error(`the service has stopped, after waiting ${ms} ms`);
}
