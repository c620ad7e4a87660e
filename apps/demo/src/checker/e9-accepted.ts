import type { Violation } from './evidence.js';
import type { Invariant } from './history.js';

/** Every accepted order exists, and one Idempotency-Key makes one order, however often it was sent. */
export const acceptedOrdersExist: Invariant = ({ orders, evidence }) => {
  const violations: Violation[] = [];
  const report = (subject: string, text: string) => violations.push({ code: 'E9', subject, text });

  const answers = new Map<string, Set<string>>();
  for (const call of evidence.calls) {
    if (call.outcome !== 'ok' || call.orderId === undefined) continue;
    answers.set(call.key, (answers.get(call.key) ?? new Set()).add(call.orderId));
  }
  for (const [key, orderIds] of answers) {
    if (orderIds.size > 1)
      report(key, `one key was answered with ${orderIds.size} orders: ${[...orderIds].join(', ')}`);
    for (const orderId of orderIds) {
      if (!orders.get(orderId)?.placed.length) report(orderId, 'accepted, but not in the ledger');
    }
  }

  const customers = new Map<string, number>();
  for (const { placed } of orders.values()) {
    for (const { data } of placed) customers.set(data.customerId, (customers.get(data.customerId) ?? 0) + 1);
  }
  // Each order of a run has a customer of its own, so a second order of the customer is a second order of the key.
  for (const customerId of new Set(evidence.calls.map((call) => call.customerId))) {
    const count = customers.get(customerId) ?? 0;
    if (count > 1) report(customerId, `one key placed ${count} orders`);
  }
  return violations;
};
