import { setTimeout } from 'node:timers/promises';

/** Polls until the condition holds; the test's own timeout bounds it. */
export async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(5);
}
