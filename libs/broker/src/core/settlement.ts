import type { Guard, Write } from './commit.js';
import type { Delivery, GroupScope, Outcome } from './delivery.js';
import type { Entry, EntryRef } from './partition.js';

/** What makes a commit the one that settles an entry: the right to consume it, and the acknowledgement. */
export function guardsOf(scope: GroupScope, delivery: Delivery): Guard[] {
  const input: Guard = { kind: 'input', entry: refOf(delivery.entry), group: scope.group.name };
  const lease = leaseOf(scope, delivery);
  return lease ? [lease, input] : [input];
}

/** The right to consume the partition of an entry, where one is needed. */
export function leaseOf({ group }: GroupScope, { entry, epoch }: Delivery): Guard | undefined {
  return epoch === undefined
    ? undefined
    : { kind: 'lease', partition: entry.source.partition, group: group.name, epoch };
}

/**
 * What a settled entry leaves behind: no failed attempts, and no key held back.
 *
 * @param heldBack the key that is held back anew
 */
export function cleanUp({ group }: GroupScope, { entry, retry, received }: Delivery, heldBack?: string): Write[] {
  const writes: Write[] = retry ? [{ kind: 'clear-retry', entry: refOf(entry), group: group.name }] : [];
  const key = received.kind === 'irrelevant' ? undefined : received.origin?.parked;
  if (key !== undefined && key !== heldBack) writes.push({ kind: 'unpark', group: group.name, key });
  return writes;
}

/**
 * Acknowledges an entry that no handler decided about, with what is to be written instead.
 *
 * @param heldBack the key that is held back anew
 */
export async function settle(
  scope: GroupScope,
  delivery: Delivery,
  writes: readonly Write[],
  heldBack?: string,
): Promise<Outcome> {
  const result = await scope.broker.commit({
    partition: delivery.entry.source.partition,
    guards: guardsOf(scope, delivery),
    writes: [...writes, ...cleanUp(scope, delivery, heldBack)],
  });
  return result.status === 'refused' && result.guard === 'lease' ? 'lease-lost' : 'settled';
}

export function refOf({ source, id }: Entry): EntryRef {
  return { source, id };
}
