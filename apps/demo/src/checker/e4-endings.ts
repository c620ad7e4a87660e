import type { Invariant, OrderHistory } from './history.js';

/** Every order ends confirmed, rejected or parked; a parked one has an alert. */
export const everyOrderEnds: Invariant = ({ orders, evidence }) => {
  const parked = new Set(evidence.parked);
  return [...orders.values()].flatMap((order) => {
    const { orderId: subject, placed, confirmed, rejected } = order;
    if (placed.length === 0) return [];
    const alerted = hasAlert(order);
    if (parked.has(subject) && !alerted) return [{ code: 'E4', subject, text: 'parked without an alert' }];
    if (confirmed.length + rejected.length > 0 || alerted) return [];
    return [{ code: 'E4', subject, text: 'neither confirmed nor rejected nor parked' }];
  });
};

function hasAlert({ saga }: OrderHistory): boolean {
  return saga.some(({ type }) => type === 'saga.parked');
}
