import type { LedgerEntry } from './evidence.js';
import type { Invariant, OrderHistory } from './history.js';

/** Steps in the order in which they are undone: the last one done comes first. */
const UNDONE_IN_ORDER: readonly (readonly string[])[] = [
  ['payment.charge-refunded'],
  ['payment.authorization-voided', 'payment.payment-closed'],
  ['catalog.reservation-released'],
];

/** Compensations happen in reverse order of their steps, and none once the order is confirmed. */
export const undoneInReverse: Invariant = ({ orders }) =>
  [...orders.values()].flatMap((order) => {
    const undone = UNDONE_IN_ORDER.map((types) => compensations(order, types));
    const flat = undone.flat();
    const violations = flat.slice(1).flatMap((entry, at) => {
      const before = flat[at]!;
      return isAfter(before, entry) ? [violation(order, `${entry.type} before ${before.type}`)] : [];
    });
    if (order.confirmed.length > 0 && flat.length > 0) {
      violations.push(violation(order, `confirmed, and yet ${flat.map(({ type }) => type).join(', ')}`));
    }
    return violations;
  });

function compensations({ payment, catalog }: OrderHistory, types: readonly string[]): LedgerEntry[] {
  return [...payment, ...catalog].filter(({ type }) => types.includes(type));
}

/** By position inside one feed, by time between services. */
function isAfter(one: LedgerEntry, other: LedgerEntry): boolean {
  const sameFeed = contextOf(one) === contextOf(other) && one.partition === other.partition;
  return sameFeed ? one.position > other.position : one.time > other.time;
}

function contextOf({ type }: LedgerEntry): string {
  return type.split('.')[0]!;
}

function violation({ orderId }: OrderHistory, text: string) {
  return { code: 'E6', subject: orderId, text };
}
