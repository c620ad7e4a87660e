import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, RedisPartitionStore, Subscriptions } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Reply } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { stepsOf } from './definition.js';
import type { SagaDefinition } from './definition.js';
import { eventually } from './eventually.fixture.js';
import { Orchestrator } from './orchestrator.js';
import {
  NotRefundable,
  OrderPlaced,
  OutOfStock,
  PaymentDeclined,
  PaymentRefunded,
  placeOrder,
  ReleaseStock,
  ReserveStock,
  StockReserved,
} from './place-order.fixture.js';
import type { PlaceOrderState } from './place-order.fixture.js';
import { SagaDefinitions } from './runtime/saga-definitions.js';
import { SagaInstances } from './runtime/saga-instances.js';
import { SagaLocks } from './runtime/saga-locks.js';
import { saga } from './dsl/saga.js';
import { Shop } from './shop.fixture.js';

const impatient = saga<PlaceOrderState>()
  .startsOn(OrderPlaced, ({ orderId, total }) => ({ orderId, total }))
  .step('reserve stock', (s) =>
    s
      .sends(({ orderId }) => new ReserveStock(orderId))
      .onReply(StockReserved)
      .failsOn(OutOfStock)
      .compensates(({ orderId }) => new ReleaseStock(orderId), { within: 20, attempts: 2 })
      .within(20)
      .retries(1),
  )
  .named('place-order');

/** Has little time for the payment. */
const hasty: SagaDefinition<PlaceOrderState> = {
  ...placeOrder,
  body: placeOrder.body.map((node) =>
    node.kind === 'step' && node.name === 'take payment' ? { ...node, do: { ...node.do, withinMs: 50 } } : node,
  ),
};

const stores: [string, () => PartitionStore][] = [
  ['memory', () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => new RedisPartitionStore({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('the orchestrator in %s', (_name, open) => {
  let shop: Shop;
  afterEach(() => shop.close());

  it('leads an order through all services to its end', async () => {
    shop = await new Shop(open()).open();
    await shop.place('4711');

    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'completed', state: { payment: 'p1' } });
    expect(shop.commands.map(({ id }) => id)).toEqual([0, 1, 2, 4].map((step) => `place-order/4711/${step}/do/1`));
  });

  it('undoes what was done when a step is refused', async () => {
    shop = await new Shop(open(), { 'payment.capture': () => new PaymentDeclined('expired') }).open();
    await shop.place('4711');

    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'compensated' });
    expect(shop.commands.slice(3).map(({ type }) => type)).toEqual(['catalog.release-stock', 'order.reject']);
  });

  it('leads many orders at a time', async () => {
    shop = await new Shop(open(), {
      'catalog.reserve-stock': (n) => (n % 3 ? new StockReserved('r') : new OutOfStock('t')),
    }).open();
    const ids = Array.from({ length: 30 }, (_, index) => `order/${index}`);
    await Promise.all(ids.map((id) => shop.place(id)));

    const outcomes = await Promise.all(ids.map((id) => shop.outcomeOf(id)));
    expect(outcomes.filter(({ status }) => status === 'completed')).toHaveLength(20);
    expect(outcomes.filter(({ status }) => status === 'compensated')).toHaveLength(10);
  });

  it('addresses its commands: id, key, correlation and where the reply goes', async () => {
    shop = await new Shop(open()).open();
    await shop.place('4711');
    await shop.outcomeOf('4711');

    const { context, index } = shop.partitionOf('4711');
    for (const command of shop.commands) {
      expect(command).toMatchObject({
        source: '/place-order',
        partitionkey: '4711',
        correlationid: '4711',
        replyto: `${context}/${index}`,
      });
    }
  });

  it('passes on the correlation of the event that started the saga', async () => {
    shop = await new Shop(open()).open();
    const { text } = await shop.order.messages.encode(new OrderPlaced('4711', 990), { correlationid: 'request-1' });
    const partition = shop.order.partitionFor('4711');
    await shop.store.commit({ partition, guards: [], writes: [{ kind: 'append', events: [text] }] });
    await shop.outcomeOf('4711');

    expect(new Set(shop.commands.map(({ correlationid }) => correlationid))).toEqual(new Set(['request-1']));
  });

  it('publishes the course of each saga in its own feed', async () => {
    shop = await new Shop(open(), { 'payment.capture': () => new PaymentDeclined('expired') }).open();
    await shop.place('4711');
    await shop.outcomeOf('4711');

    expect((await shop.lifecycleOf('4711')).map(({ type, data }) => [type, data])).toMatchObject([
      ['saga.started', { saga: 'place-order', id: '4711' }],
      ['saga.turned', { step: 'take payment', reason: 'payment.declined' }],
      ['saga.ended', { outcome: 'compensated' }],
    ]);
  });

  it('starts one saga for an event that comes twice', async () => {
    shop = await new Shop(open()).open();
    await shop.place('4711');
    await shop.outcomeOf('4711');
    await shop.place('4711');
    await shop.startsAreHandled();

    expect(shop.commands.filter(({ id }) => id.startsWith('place-order/4711/0/'))).toHaveLength(1);
  });

  it('sends again at the deadline, then gives up, undoes, and parks what cannot be undone, with an alert', async () => {
    const silence = { 'catalog.reserve-stock': () => undefined, 'catalog.release-stock': () => undefined };
    shop = await new Shop(open(), silence, impatient).open();
    await shop.place('4711');

    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'parked', failure: { step: 'reserve stock' } });
    expect(shop.commands.map(({ id }) => id)).toEqual([
      'place-order/4711/0/do/1',
      'place-order/4711/0/do/2',
      'place-order/4711/0/undo/1',
      'place-order/4711/0/undo/2',
    ]);
    expect(shop.errors).toEqual([expect.stringMatching(/4711 is parked: 'reserve stock' was given up/)]);
    const timers = await shop.store.dueTimers([shop.partitionOf('4711')], Number.MAX_SAFE_INTEGER, 10);
    expect(timers).toEqual({ due: [], next: undefined });
  });

  it('takes a reply from the wire by its outcome where any reply will do', async () => {
    @Reply('payment.all-clear')
    class AllClear {}
    shop = await new Shop(open(), {
      'payment.capture': () => new PaymentDeclined('expired'),
      'catalog.release-stock': () => new AllClear(),
    }).open();
    await shop.place('4711');

    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'compensated' });
  });

  it('dead-letters a reply whose data are wrong, and goes on with the right one', async () => {
    shop = await new Shop(open(), { 'catalog.reserve-stock': () => undefined }).open();
    await shop.place('4711');
    await eventually(() => shop.commands.length > 0);
    const reply = { specversion: '1.0', source: '/catalog', type: 'catalog.stock-reserved' } as const;
    const inreplyto = 'place-order/4711/0/do/1';
    const partition = shop.partitionOf('4711');
    await shop.deliver(partition, { ...reply, id: '1', inreplyto, data: { reservation: 7 } });
    await shop.deliver(partition, { ...reply, id: '2', inreplyto, data: { reservation: 'r1' } });

    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'completed', state: { reservation: 'r1' } });
    expect(await shop.store.readDeadLetters(partition, 10)).toMatchObject([{ reason: 'invalid-data' }]);
  });

  it.each<[string, Partial<Envelope>, string]>([
    ['a reply without an outcome', { type: 'payment.odd', inreplyto: 'place-order/4711/0/do/1' }, 'malformed'],
    ['a reply to nobody here', { type: 'payment.odd', inreplyto: 'refund/4711/0/do/1' }, 'unknown-type'],
    ['a deadline of a saga that is gone', { type: 'saga.wake', data: { saga: 'refund', id: '4711' } }, 'non-retryable'],
  ])('keeps as a dead letter %s', async (_, message, reason) => {
    shop = await new Shop(open()).open();
    const partition = shop.partitionOf('4711');
    await shop.deliver(partition, { specversion: '1.0', source: '/payment', id: '1', data: {}, ...message });
    await shop.inboxIsEmpty(partition);

    expect(await shop.store.readDeadLetters(partition, 10)).toMatchObject([{ reason }]);
  });

  it('only remembers a reply that is late or repeated, and ignores one for nobody it knows', async () => {
    shop = await new Shop(open()).open();
    await shop.place('4711');
    const before = await shop.outcomeOf('4711');
    const partition = shop.partitionOf('4711');
    const reply = {
      specversion: '1.0',
      source: '/catalog',
      type: 'catalog.stock-reserved',
      data: { reservation: 'r2' },
    } as const;
    for (const inreplyto of ['place-order/4711/0/do/1', 'place-order/4712/0/do/1', 'refund/4711/0/do/1', 'x']) {
      await shop.deliver(partition, { ...reply, id: inreplyto, inreplyto });
    }
    await shop.inboxIsEmpty(partition);

    const late = { step: 'reserve stock', path: '0', direction: 'do', what: 'late', times: 1 };
    expect(await shop.instances.find('place-order', '4711')).toMatchObject({
      ...before,
      history: [...before.history, late],
    });
    expect(await shop.instances.find('place-order', '4712')).toBeUndefined();
    expect(await shop.store.readDeadLetters(partition, 10)).toEqual([]);
  });

  it('parks nothing when a refund is refused once', async () => {
    const answers = {
      'payment.capture': () => undefined,
      'payment.refund': (attempt: number) => (attempt === 1 ? new NotRefundable('soon') : new PaymentRefunded('f1')),
    };
    shop = await new Shop(open(), answers, hasty).open();
    await shop.place('4711');
    expect(await shop.outcomeOf('4711')).toMatchObject({ status: 'compensated' });
    expect(shop.commands.filter(({ type }) => type === 'payment.refund')).toHaveLength(2);
    expect(shop.errors).toEqual([]);
  });
});

describe('an orchestrator refuses', () => {
  const orchestrator = () => {
    const broker = new Broker(new InMemoryPartitionStore(), { context: 'place-order' });
    return new Orchestrator(
      'place-order',
      new Subscriptions('place-order'),
      new SagaInstances(broker, new SagaDefinitions()),
      new SagaLocks(broker),
    );
  };

  it('two sagas of one name', () => {
    const sagas = orchestrator();
    sagas.add(placeOrder);

    expect(() => sagas.add(placeOrder)).toThrow("saga 'place-order' is declared twice");
  });

  it('two reply classes of one type', () => {
    @Reply('catalog.stock-reserved')
    class OtherStockReserved {}
    const handler = { reply: OtherStockReserved, succeeds: (state: PlaceOrderState) => state };
    const step = { ...stepsOf(placeOrder)[0]!, replies: new Map([['catalog.stock-reserved', handler]]) };
    const sagas = orchestrator();
    sagas.add(placeOrder);

    expect(() => sagas.add({ ...placeOrder, name: 'twin', body: [step] })).toThrow(
      'StockReserved and OtherStockReserved are both catalog.stock-reserved',
    );
  });
});
