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

type Finish = () => Promise<void>;

const finishers: Finish[] = [];

/** Runs when the test has ended, however it ended; the last one first. */
export function onTestFinished(finish: Finish): void {
  finishers.push(finish);
}

/** Runs all of them, also after one that fails, so that none is left for the next test; then rejects with what failed. */
export async function finishAll(left: Finish[]): Promise<void> {
  const failures: unknown[] = [];
  for (let finish = left.pop(); finish; finish = left.pop()) {
    try {
      await finish();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; '));
  if (failures.length === 1) throw failures[0];
}

afterEach(() => finishAll(finishers));
