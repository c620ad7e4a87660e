import type { Broker } from './broker.js';
import type { Subscriptions } from './handler.js';
import type { Partition } from './partition.js';

/**
 * The partitions of the own context and of every context whose logs a group of this service reads: where its messages and
 * its dead letters are, beside those of other services that read there, too.
 */
export async function readPartitions(broker: Broker, subscriptions: Subscriptions): Promise<readonly Partition[]> {
  const read = [...subscriptions.groups.values()].flatMap(({ sources }) => sources.map(({ context }) => context));
  const partitions: Partition[] = [];
  for (const context of [...new Set([broker.context, ...read])].sort()) {
    const count = await broker.partitionsOf(context);
    for (let index = 0; index < count; index++) partitions.push({ context, index });
  }
  return partitions;
}
