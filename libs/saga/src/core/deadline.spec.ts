import { next } from './next.js';
import { ConfirmOrder, OrderPlaced } from './place-order.fixture.js';
import { saga } from './dsl/saga.js';

const confirm = saga<{ orderId: string }>()
  .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
  .pivot()
  .step('confirm order', (s) => s.sends(({ orderId }) => new ConfirmOrder(orderId, 'none')).untilDone())
  .within('10s')
  .named('confirm');

describe('the deadline of a saga', () => {
  it('is over when it comes after the pivot: nothing wakes the saga up for it again', () => {
    const started = next(
      confirm,
      undefined,
      { kind: 'start', id: '4711', input: new OrderPlaced('4711', 1) },
      { now: 0 },
    );
    if (started.outcome !== 'moved') throw new Error(started.reason);
    expect(started.instance).toMatchObject({ deadline: 10_000, wakeAt: 10_000 });

    const woken = next(confirm, started.instance, { kind: 'wake' }, { now: 10_000 });
    if (woken.outcome !== 'moved') throw new Error(woken.reason);
    expect(woken.instance).toMatchObject({ status: 'running', wakeAt: 30_000 });
    expect(woken.instance.deadline).toBeUndefined();
  });
});
