import pLimit from 'p-limit';
import type { Call } from '../checker/evidence.js';
import { pause, post } from '../shop/http.js';
import type { PlannedOrder } from './plan.js';

/** Customers who wait for an answer at the same time. */
const CUSTOMERS = 8;
const PATIENCE_MS = 120_000;

export interface PlacingOptions {
  readonly orderUrl: string;
  /** Wait between one customer and the next, ms. */
  readonly paceMs: number;
  /** Every call is written down here. */
  readonly calls: Call[];
  readonly onAccepted: (orderId: string, order: PlannedOrder) => void;
}

/** Places all orders. A customer who gets no answer sends the same order with the same key again. */
export async function placeOrders(orders: readonly PlannedOrder[], options: PlacingOptions): Promise<void> {
  const limit = pLimit(CUSTOMERS);
  const placing: Promise<void>[] = [];
  for (const order of orders) {
    placing.push(limit(() => place(order, options)));
    if (options.paceMs > 0) await pause(options.paceMs);
  }
  await Promise.all(placing);
}

async function place(order: PlannedOrder, options: PlacingOptions): Promise<void> {
  const answers = await Promise.all(
    new Array(order.sentTwice ? 2 : 1).fill(0).map(() => untilAnswered(order, options)),
  );
  const orderId = answers.find((answer) => answer !== undefined);
  if (orderId !== undefined) options.onAccepted(orderId, order);
}

async function untilAnswered(order: PlannedOrder, { orderUrl, calls }: PlacingOptions): Promise<string | undefined> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let attempt = 1; Date.now() < deadline; attempt++) {
    const call = await send(order, orderUrl);
    calls.push(call);
    if (call.outcome !== 'unknown') return call.orderId;
    await pause(Math.min(1000, 50 * attempt));
  }
  return undefined;
}

async function send({ key, customerId, lines, paymentMethod }: PlannedOrder, orderUrl: string): Promise<Call> {
  const call = { key, customerId };
  try {
    const order = { customerId, lines, currency: 'EUR', paymentMethod };
    const { status, body } = await post(`${orderUrl}/orders`, order, { 'idempotency-key': key });
    const orderId = (body as { orderId?: unknown } | undefined)?.orderId;
    if (status < 300 && typeof orderId === 'string') return { ...call, outcome: 'ok', orderId, status };
    // 409: the same key is being worked on; 5xx: anything may have happened.
    const outcome = status >= 500 || status === 409 ? 'unknown' : 'fail';
    return { ...call, outcome, status, error: JSON.stringify(body) };
  } catch (error) {
    return { ...call, outcome: 'unknown', error: (error as Error).message };
  }
}
