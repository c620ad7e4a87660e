import type { Broker } from '@millrace/broker';
import type { HistoryEntry } from '../instance.js';
import { changed } from '../state-change.js';
import type { SagaInstances } from './saga-instances.js';
import { historyName } from './saga-writes.js';

/** What happened in a saga, also what is stored on pages beside it, the oldest first. Undefined: there is no such saga. */
export async function historyOf(
  broker: Broker,
  instances: SagaInstances,
  saga: string,
  id: string,
): Promise<readonly HistoryEntry[] | undefined> {
  for (;;) {
    const instance = await instances.find(saga, id);
    if (!instance) return undefined;
    const partition = broker.partitionFor(id);
    const pages = await Promise.all(
      Array.from({ length: instance.pages ?? 0 }, (_, page) =>
        broker.store.readState(partition, historyName(saga, id, page)),
      ),
    );
    // A page is missing only when the whole saga has been removed meanwhile.
    if (pages.some((page) => page === undefined)) continue;
    return [...pages.flatMap((page) => JSON.parse(page!.value) as HistoryEntry[]), ...instance.history];
  }
}

/** The state that a saga had at a moment, of its history; undefined before its start. */
export function stateAt(history: readonly HistoryEntry[], moment: number): unknown {
  return history
    .filter(({ at, change }) => change && at <= moment)
    .reduce<unknown>((state, { change }) => changed(state, change), undefined);
}
