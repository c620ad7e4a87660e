import type { LedgerEntry, Violation } from './evidence.js';
import type { Invariant, OrderHistory } from './history.js';

const ENDS = ['order.confirmed', 'order.rejected', 'saga.ended'];

/** Nothing happens to an order or a saga after its end, and every feed counts 1..n without gaps. */
export const endsAreFinal: Invariant = ({ orders, evidence }) => [
  ...[...orders.values()].flatMap((order) => [...afterEnd(order, order.order), ...afterEnd(order, order.saga)]),
  ...(['catalog', 'order', 'payment', 'orchestrator'] as const).flatMap((feed) => gaps(feed, evidence.ledgers[feed])),
];

function afterEnd({ orderId: subject }: OrderHistory, entries: readonly LedgerEntry[]): Violation[] {
  const end = entries.findIndex(({ type }) => ENDS.includes(type));
  if (end < 0) return [];
  return entries
    .slice(end + 1)
    .map(({ type }) => ({ code: 'E8', subject, text: `${type} after ${entries[end]!.type}` }));
}

function gaps(feed: string, entries: readonly LedgerEntry[]): Violation[] {
  const partitions = new Map<number, number[]>();
  for (const { partition, position } of entries) {
    if (!partitions.has(partition)) partitions.set(partition, []);
    partitions.get(partition)!.push(position);
  }
  return [...partitions].flatMap(([partition, positions]) => {
    const wrong = positions.sort((a, b) => a - b).findIndex((position, at) => position !== at + 1);
    if (wrong < 0) return [];
    return [
      { code: 'E8', subject: `${feed}/${partition}`, text: `position ${positions[wrong]} where ${wrong + 1} must be` },
    ];
  });
}
