import { setTimeout } from 'node:timers/promises';

/** How long something that a script says may take to come about on a store, ms. */
const PATIENCE_MS = 5_000;

/**
 * Waits until something is so.
 *
 * @param what it is, as the subject of the error
 * @throws Error when it does not come about
 */
export async function cameAbout(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`${what} within ${PATIENCE_MS} ms`);
    await setTimeout(2);
  }
}
