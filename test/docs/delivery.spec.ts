import {
  BrokerModule,
  DeadLetters,
  InMemoryPartitionStore,
  PARTITION_STORE,
  Publisher,
  RedisPartitionStore,
  Subscriber,
} from '@millrace/broker';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  archived,
  Carrier,
  Checkout,
  Exports,
  HealthController,
  Import,
  Ledger,
  Newsletter,
  OrderModule,
  OrderPlaced,
  OrdersController,
  PlaceOrder,
  PriceCache,
  Reminders,
  Repair,
  retention,
  SearchIndex,
  Shipping,
  Statistics,
  Thumbnails,
  Warehouse,
} from './delivery.js';
import { eventually, freshNamespace, redisUrl } from '../support/redis.js';

describe('the code of the guide to delivery', () => {
  let app: INestApplication;
  let store: RedisPartitionStore;
  let publisher: Publisher;

  beforeAll(async () => {
    store = await RedisPartitionStore.connect({ url: redisUrl(), namespace: freshNamespace() });
    const testing = await Test.createTestingModule({ imports: [OrderModule] })
      .overrideProvider(PARTITION_STORE)
      .useValue(store)
      .compile();
    app = testing.createNestApplication({ logger: false });
    await app.init();
    publisher = app.get(Publisher);
  });

  afterAll(async () => {
    await app.close();
    await store.close();
  });

  it('answers a request with what its handler has decided, and its event reaches every group', async () => {
    expect(await app.get(OrdersController).place(new PlaceOrder('order-1', 900))).toEqual({ orderId: 'order-1' });
    await eventually(() => {
      expect(app.get(Statistics).totals.get('order-1')).toBe(900);
      expect(app.get(Thumbnails).drawn).toContain('order-1');
      expect(app.get(Newsletter).sent).toContain('order-1');
      expect(app.get(Shipping).booked).toContain('order-1');
      expect(app.get(Ledger).booked).toContain('order-1 900');
    });
  });

  it('shares all its partitions with nobody while it is alone', async () => {
    await eventually(() => expect(app.get(Subscriber).partitions.get('shipping')).toHaveLength(12));
  });

  it('does not do what has been undone before', async () => {
    const [checkout, warehouse, subscriber] = [app.get(Checkout), app.get(Warehouse), app.get(Subscriber)];
    await checkout.begin('mug', 'order-r1');
    await eventually(() => expect(warehouse.reservations).toContain('order-r1'));
    await checkout.giveUp('mug', 'order-r1');
    await checkout.giveUp('mug', 'order-r2');
    await checkout.begin('mug', 'order-r2');
    await eventually(() => expect(subscriber.superseded.get('order')).toBe(1));
    expect(warehouse.reservations).toEqual(new Set());
  });

  it('pauses one group, while others go on', async () => {
    const newsletter = app.get(Newsletter);
    newsletter.providerIsDown();
    await publisher.publish(new OrderPlaced('order-2', 1));
    await eventually(() => expect(app.get(Statistics).totals.has('order-2')).toBe(true));
    expect(newsletter.sent).not.toContain('order-2');
    newsletter.providerIsBack();
    await eventually(() => expect(newsletter.sent).toContain('order-2'));
  });

  it('takes many at once, and gives up only those that fail', async () => {
    await publisher.publish(new OrderPlaced('', 1));
    await publisher.publish(new OrderPlaced('order-12', 1));
    await eventually(() => expect(app.get(SearchIndex).indexed).toContain('order-12'));
    await eventually(async () => expect(await deadLetters('order.search')).toMatchObject([{ attempts: 5 }]));
    expect(await app.get(Repair).forget((await deadLetters('order.search'))[0]!.id)).toBe(true);
  });

  it('tries again what failed, puts off what is too early, and gives up what is refused', async () => {
    const carrier = app.get(Carrier);
    const { booked } = app.get(Shipping);
    const book = carrier.book.bind(carrier);
    const answers = new Map([
      ['order-3', [500, 201]],
      ['order-4', [422]],
      ['order-5', [429, 201]],
    ]);
    carrier.book = async (orderId, signal) => answers.get(orderId)?.shift() ?? book(orderId, signal);
    carrier.opensAt = Date.now() + 100;
    for (const orderId of answers.keys()) await publisher.publish(new OrderPlaced(orderId, 1));
    await eventually(() => expect(booked).toEqual(expect.arrayContaining(['order-3', 'order-5'])));
    expect(Date.now()).toBeGreaterThan(carrier.opensAt);
    await eventually(async () =>
      expect(await deadLetters('order.shipping')).toMatchObject([{ key: 'order-4', reason: 'not-taken' }]),
    );
    expect(await app.get(Repair).afterTheFix()).toBe(1);
    await eventually(() => expect(booked).toContain('order-4'));
  });

  it('keeps a key back behind a dead letter, until that is edited', async () => {
    const { booked } = app.get(Ledger);
    await publisher.publish(new OrderPlaced('order-6', -1));
    await publisher.publish(new OrderPlaced('order-6', 2));
    await publisher.publish(new OrderPlaced('order-7', 3));
    await eventually(() => expect(booked).toContain('order-7 3'));
    await eventually(async () => expect(await deadLetters('order.ledger')).toHaveLength(2));
    const [head, behind] = await deadLetters('order.ledger');
    const repair = app.get(Repair);
    expect(await repair.show()).toEqual(
      expect.arrayContaining(['handler-failed: order-6 has a negative total (order-6, attempt 1)']),
    );
    expect(await repair.makePositive(behind!.id)).toBe('parked');
    expect(await repair.makePositive(head!.id)).toBe('redriven');
    await eventually(() => expect(booked.slice(-2)).toEqual(['order-6 0', 'order-6 2']));
    expect(await repair.forget(head!.id)).toBe(false);
  });

  it('schedules, moves, lists and cancels', async () => {
    const reminders = app.get(Reminders);
    await reminders.once();
    await reminders.unpaid('order-8');
    expect(await reminders.open()).toEqual(['unpaid:order-8 2030-01-01T09:00:00.000Z']);
    expect(await reminders.moreTime('order-8')).toBe(true);
    expect(await reminders.open()).toEqual(['unpaid:order-8 2030-02-01T09:00:00.000Z']);
    expect(await reminders.paid('order-8')).toBe(true);
    expect(await reminders.paid('order-8')).toBe(false);
    expect(reminders.reminded).toBe(0);
  });

  it('publishes once what is imported twice', async () => {
    const lines = app.get(Import);
    expect(await lines.line('order-9', 1)).toBe(false);
    expect(await lines.line('order-9', 1)).toBe(true);
  });

  it('gives several replies, in order', async () => {
    expect(await app.get(Exports).all()).toEqual(['order;cents', 'order-1;900']);
  });

  it('tells every instance', async () => {
    const { prices } = app.get(PriceCache);
    prices.set('order-10', 1);
    await publisher.publish(new OrderPlaced('order-10', 1));
    await eventually(() => expect(prices.has('order-10')).toBe(false));
  });

  it('is healthy, and shows its figures', async () => {
    await eventually(async () => expect((await app.get(HealthController).check()).status).toBe('ok'));
    const { own } = await app.get(HealthController).figures();
    expect(own).toHaveLength(12);
  });

  it('archives what every group has handled, before it goes', async () => {
    const feed = { ...retention.feed, maxLength: 1 };
    const options = { context: 'order', partitions: 1, retention: { ...retention, feed, everyMs: 20 } };
    const root = BrokerModule.forRoot({ ...options, store: new InMemoryPartitionStore() });
    const second = await Test.createTestingModule({ imports: [root], providers: [Statistics] }).compile();
    await second.init();
    for (const cents of [1, 2]) await second.get(Publisher).publish(new OrderPlaced('order-11', cents));
    await eventually(() => expect([...archived.keys()]).toEqual(['order/0/0-1']));
    await second.close();
  });

  const deadLetters = async (group: string) => (await app.get(DeadLetters).list({ group })).letters;
});
