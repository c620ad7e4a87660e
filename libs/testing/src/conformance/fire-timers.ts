import { firing } from '@millrace/broker';
import type { Partition, PartitionStore } from '@millrace/broker';

/** Fires what is due, one after the other, as a timer loop does. Answers how many fired and when the next one is due. */
export async function fireTimers(store: PartitionStore, partition: Partition, now: number, limit: number) {
  const { due, next } = await store.dueTimers([partition], now, limit);
  let fired = 0;
  for (const timer of due) if ((await store.commit(firing(timer, now))).status === 'committed') fired++;
  return { fired, next };
}
