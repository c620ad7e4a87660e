import type { Guard, Write } from './commit.js';
import type { Delivery, GroupScope, Outcome } from './delivery.js';
import type { Entry, EntryRef } from './partition.js';

/** What makes a commit the one that settles an entry: the right to consume it, and the acknowledgement. */
export function guardsOf(scope: GroupScope, delivery: Delivery): Guard[] {
  return [...leaseOf(scope, delivery), { kind: 'input', entry: refOf(delivery.entry), group: scope.group.name }];
}

/** The right to consume the partition of an entry, where one is needed. */
export function leaseOf({ group }: GroupScope, { entry, epoch }: Delivery): Guard[] {
  if (epoch === undefined) return [];
  return [{ kind: 'lease', partition: entry.source.partition, group: group.name, epoch }];
}

/** What a settled entry leaves behind of its failed attempts: nothing. */
export function clearRetry({ group }: GroupScope, { entry, retry }: Delivery): Write[] {
  return retry ? [{ kind: 'clear-retry', entry: refOf(entry), group: group.name }] : [];
}

/** Acknowledges an entry that no handler decided about, with what is to be written instead. */
export async function settle(scope: GroupScope, delivery: Delivery, writes: readonly Write[]): Promise<Outcome> {
  const result = await scope.broker.commit({
    partition: delivery.entry.source.partition,
    guards: guardsOf(scope, delivery),
    writes: [...writes, ...clearRetry(scope, delivery)],
  });
  return result.status === 'refused' && result.guard === 'lease' ? 'lease-lost' : 'settled';
}

export function refOf({ source, id }: Entry): EntryRef {
  return { source, id };
}
