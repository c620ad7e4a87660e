import type { Invariant } from './history.js';
import { booked } from './history.js';

/** Captured minus refunded is what the confirmed orders cost, in each currency, in minor units. */
export const moneyAddsUp: Invariant = ({ orders, evidence }) => {
  const owed = new Map<string, number>();
  for (const { confirmed, placed } of orders.values()) {
    const total = placed[0]?.data.total;
    if (confirmed.length > 0 && total) owed.set(total.currency, (owed.get(total.currency) ?? 0) + total.amount);
  }
  const currencies = new Set([...owed.keys(), ...evidence.ledgers.bank.map((line) => line.ccy)]);
  return [...currencies].flatMap((currency) => {
    const lines = evidence.ledgers.bank.filter((line) => line.ccy === currency);
    const kept = booked(lines, 'capture') - booked(lines, 'refund');
    const due = owed.get(currency) ?? 0;
    if (kept === due) return [];
    return [{ code: 'E1', subject: currency, text: `the bank kept ${kept}, the confirmed orders cost ${due}` }];
  });
};
