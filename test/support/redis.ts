import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** The Redis that the test run found or started. */
export function redisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests with `npm test`');
  return url;
}

/** A namespace nobody else uses, so that tests share a Redis without flushing it. */
export function freshNamespace(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/** Repeats an assertion until it holds; rejects with its last failure after `withinMs`. */
export async function eventually<T>(assertion: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

const finishers: (() => Promise<void>)[] = [];

/** Runs when the test has ended, however it ended; the last one first. */
export function onTestFinished(finish: () => Promise<void>): void {
  finishers.push(finish);
}

afterEach(async () => {
  while (finishers.length > 0) await finishers.pop()!();
});
