import type { Invariant } from './history.js';
import { booked } from './history.js';

/** An order is charged at most once, and never gets back more than it was charged. */
export const oneChargePerOrder: Invariant = ({ orders }) =>
  [...orders.values()].flatMap(({ orderId: subject, bank }) => {
    const captures = bank.filter((line) => line.op === 'capture').length;
    const [charged, refunded] = [booked(bank, 'capture'), booked(bank, 'refund')];
    return [
      ...(captures > 1 ? [{ code: 'E2', subject, text: `charged ${captures} times` }] : []),
      ...(refunded > charged ? [{ code: 'E2', subject, text: `charged ${charged}, but ${refunded} refunded` }] : []),
    ];
  });
