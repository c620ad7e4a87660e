import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until the answer is neither false nor undefined; gives up after 10 s, so that a broken test ends. */
export async function eventually<T>(ask: () => T | Promise<T>): Promise<Exclude<T, false | undefined>> {
  for (let i = 0; i < 2000; i++) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    await delay(5);
  }
  throw new Error(`this never came about: ${ask}`);
}
