import type { Broker } from './broker.js';
import type { Logger } from './logger.js';
import { PARKED } from './origin.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';
import type { KeptLetter } from './dead-letter-store.js';
import type { LogRetention } from './retention-options.js';

const PAGE = 500;

/**
 * Removes dead letters that are too old or too many, except those that hold a key back or wait behind one: messages of that
 * key would never be handled again.
 */
export async function removeDeadLetters(
  broker: Broker,
  partition: Partition,
  { maxAgeMs = Infinity, maxLength = Infinity }: LogRetention,
  logger: Logger,
): Promise<void> {
  const { store, clock } = broker;
  const total = await store.countDeadLetters(partition);
  const isDue = (letter: KeptLetter, index: number) =>
    index < total - maxLength || clock.now() - letter.last >= maxAgeMs;
  const holders = new Map<string, ReadonlyMap<string, string>>();
  let [seen, removed, after] = [0, 0, undefined as string | undefined];
  for (let page: readonly KeptLetter[]; (page = await store.readDeadLetters(partition, PAGE, after)).length > 0;) {
    for (const letter of page) {
      if (!isDue(letter, seen++)) continue;
      const { id, group, key, reason } = letter;
      if (!holders.has(group)) holders.set(group, await store.readParked(partition, group));
      if (reason === PARKED || (key !== undefined && holders.get(group)!.get(key) === id)) continue;
      await broker.commit({ partition, guards: [{ kind: 'dead-letter', id }], writes: [{ kind: 'discard', id }] });
      removed++;
    }
    after = page.at(-1)!.id;
    if (page.length < PAGE || !isDue(page.at(-1)!, seen - 1)) break;
  }
  if (removed > 0) logger.warn(`retention: ${removed} dead letters of ${addressOf(partition)} have been removed`);
}
