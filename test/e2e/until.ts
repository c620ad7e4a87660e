import { setTimeout as delay } from 'node:timers/promises';

/** Asks every few milliseconds; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}
