import type { Violation } from './evidence.js';
import type { Invariant, OrderHistory } from './history.js';

type Step = readonly [what: string, about?: string];

/** Nothing is undone that was not done, and what was undone is not done afterwards, however late its command arrives. */
export const undoneStaysUndone: Invariant = ({ orders }) =>
  [...orders.values()].flatMap((order) => [
    ...breaches(order, catalogSteps(order), CATALOG),
    ...breaches(
      order,
      order.payment.map(({ type }): Step => [type]),
      PAYMENT,
    ),
    ...breaches(
      order,
      order.bank.map(({ op }): Step => [op]),
      BANK,
    ),
  ]);

interface Undo {
  readonly undo: string;
  /** What must have been done before. Nothing: a tombstone may stand alone. */
  readonly needs?: string;
  /** What may not follow. */
  readonly forbids: readonly string[];
}

const CATALOG: readonly Undo[] = [
  { undo: 'catalog.stock-returned', needs: 'catalog.stock-held', forbids: ['catalog.stock-held'] },
  { undo: 'catalog.reservation-released', forbids: ['catalog.reservation-made', 'catalog.stock-held'] },
];
const PAYMENT: readonly Undo[] = [
  {
    undo: 'payment.authorization-voided',
    needs: 'payment.authorization-made',
    forbids: ['payment.authorization-made', 'payment.charge-captured'],
  },
  { undo: 'payment.charge-refunded', needs: 'payment.charge-captured', forbids: ['payment.charge-captured'] },
  { undo: 'payment.payment-closed', forbids: ['payment.authorization-made', 'payment.charge-captured'] },
];
const BANK: readonly Undo[] = [
  { undo: 'void', needs: 'authorize', forbids: ['authorize', 'capture'] },
  { undo: 'refund', needs: 'capture', forbids: ['capture'] },
];

function catalogSteps({ catalog }: OrderHistory): Step[] {
  return catalog.map(({ type, data }) => [type, data.sku === undefined ? undefined : String(data.sku)]);
}

function breaches({ orderId: subject }: OrderHistory, steps: readonly Step[], undos: readonly Undo[]): Violation[] {
  const found: Violation[] = [];
  steps.forEach(([what, about], at) => {
    const undo = undos.find((candidate) => candidate.undo === what);
    if (!undo) return;
    const same = (step: Step, name: string) => step[0] === name && (about === undefined || step[1] === about);
    if (undo.needs && !steps.slice(0, at).some((step) => same(step, undo.needs!))) {
      found.push({ code: 'E5', subject, text: `${what} without ${undo.needs} before` });
    }
    for (const late of undo.forbids) {
      if (steps.slice(at + 1).some((step) => same(step, late))) {
        found.push({ code: 'E5', subject, text: `${late} after ${what}` });
      }
    }
  });
  return found;
}
