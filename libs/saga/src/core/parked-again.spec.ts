import { saga } from './dsl/saga.js';
import type { SagaInstance } from './instance.js';
import { next } from './next.js';
import {
  CapturePayment,
  OrderPlaced,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  RefundPayment,
  ReserveStock,
  StockReserved,
} from './place-order.fixture.js';
import type { SagaInput } from './transition.js';

const buy = saga<{ orderId: string }>()
  .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
  .step('take payment', (s) =>
    s
      .sends(({ orderId }) => new CapturePayment(orderId, 990))
      .onReply(PaymentCaptured)
      .failsOn(PaymentDeclined)
      .compensates(({ orderId }) => new RefundPayment(orderId), { within: '5s', attempts: 1 }),
  )
  .step('reserve stock', (s) =>
    s
      .sends(({ orderId }) => new ReserveStock(orderId))
      .onReply(StockReserved)
      .failsOn(OutOfStock),
  )
  .onParked(({ orderId }) => new OrderPlaced(orderId, 0))
  .named('buy');

const answer = (path: string, outcome: 'success' | 'failure', type: string): SagaInput => ({
  kind: 'reply',
  inReplyTo: `buy/4711/${path}/do/1`,
  outcome,
  type,
  data: {},
});

function moved(instance: SagaInstance<{ orderId: string }> | undefined, input: SagaInput, now: number) {
  const transition = next(buy, instance, input, { now });
  if (transition.outcome !== 'moved') throw new Error(`not moved: ${transition.reason}`);
  return transition;
}

/** Id of what is published when the refund of an instance is not answered. */
function idOfParked(instance: SagaInstance<{ orderId: string }>): string | undefined {
  const { actions } = moved(instance, { kind: 'wake' }, 10_000);
  return actions.flatMap((action) => (action.kind === 'publish' ? [action.id] : []))[0];
}

describe('a saga that is parked again', () => {
  it('publishes under another id, though its history is as long, since older pages were put beside it', () => {
    let { instance } = moved(undefined, { kind: 'start', id: '4711', input: new OrderPlaced('4711', 990) }, 1);
    ({ instance } = moved(instance, answer('0', 'success', 'payment.captured'), 2));
    ({ instance } = moved(instance, answer('1', 'failure', 'catalog.out-of-stock'), 3));
    const ids = [undefined, 1, 2].map((pages) => idOfParked(pages === undefined ? instance : { ...instance, pages }));
    expect(ids.every((id) => id?.startsWith('buy/4711/parked/'))).toBe(true);
    expect(new Set(ids).size).toBe(3);
  });
});
