import { moneyAddsUp } from './e1-money.js';
import { oneChargePerOrder } from './e2-charges.js';
import { stockAddsUp } from './e3-stock.js';
import { everyOrderEnds } from './e4-endings.js';
import { undoneStaysUndone } from './e5-compensations.js';
import { undoneInReverse } from './e6-reverse-order.js';
import { outcomesAreWhole } from './e7-outcomes.js';
import { endsAreFinal } from './e8-transitions.js';
import { acceptedOrdersExist } from './e9-accepted.js';
import type { Evidence, Violation } from './evidence.js';
import type { Invariant } from './history.js';
import { History } from './history.js';

/** The rules by code, with the words in which a person would ask for them. */
export const INVARIANTS: readonly (readonly [code: string, name: string, invariant: Invariant])[] = [
  ['E1', 'money', moneyAddsUp],
  ['E2', 'one charge per order', oneChargePerOrder],
  ['E3', 'stock', stockAddsUp],
  ['E4', 'every order ends', everyOrderEnds],
  ['E5', 'undone stays undone', undoneStaysUndone],
  ['E6', 'reverse compensation', undoneInReverse],
  ['E7', 'all or nothing', outcomesAreWhole],
  ['E8', 'ends are final', endsAreFinal],
  ['E9', 'accepted orders exist', acceptedOrdersExist],
];

/** Everything in the evidence that breaks a rule of the shop. Empty: all hold. */
export function check(evidence: Evidence): Violation[] {
  const history = new History(evidence);
  return INVARIANTS.flatMap(([, , invariant]) => invariant(history));
}
