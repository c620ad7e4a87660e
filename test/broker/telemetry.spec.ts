import { Injectable } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Broker, BrokerModule, Handles, InMemoryPartitionStore, On, Publisher, Scheduler } from '@millrace/broker';
import { RedisPartitionStore } from '@millrace/broker';
import type { BrokerModuleOptions, PartitionStore } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { sdk } from '../support/sdk.js';

@Event('shop.ordered', { key: 'order' })
class Ordered {
  constructor(readonly order: string) {}
}

@Reply('shop.confirmed')
class Confirmed {}

@Command('shop.confirm', { key: 'order' })
class Confirm extends Command<Confirmed> {
  constructor(readonly order: string) {
    super();
  }
}

let confirmed: string[] = [];

@Injectable()
class Billing {
  constructor(private readonly publisher: Publisher) {}

  @On(Ordered, { from: 'shop' })
  async bill({ order }: Ordered): Promise<void> {
    if (order === 'broken') throw new RangeError('no such order');
    await Promise.resolve();
    await this.publisher.send(new Confirm(order), order === 'later' ? { delayMs: 20 } : {});
  }
}

@Injectable()
class Shop {
  @Handles(Confirm)
  confirm({ order }: Confirm): Confirmed {
    confirmed.push(order);
    return new Confirmed();
  }
}

async function service(
  store: PartitionStore,
  name: string,
  provider: Type<unknown>,
  options: Partial<BrokerModuleOptions> = {},
) {
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({
        ...{ context: name, store, telemetry: true, partitions: 1, blockMs: 50, validate: false },
        ...options,
      }),
    ],
    providers: [provider],
  }).compile();
  onTestFinished(() => module.close());
  await module.init();
  return module;
}

const STORES: [string, () => Promise<PartitionStore>][] = [
  ['Redis', () => RedisPartitionStore.connect({ url: redisUrl(), namespace: freshNamespace() })],
  ['memory', () => Promise.resolve(new InMemoryPartitionStore())],
];

beforeEach(() => {
  confirmed = [];
});

describe.each(STORES)('telemetry of two services on %s', (_name, open) => {
  async function both() {
    const store = await open();
    onTestFinished(() => store.close());
    const shop = await service(store, 'shop', Shop, { retry: { attempts: 2, delayMs: 1 } });
    const billing = await service(store, 'billing', Billing, { retry: { attempts: 2, delayMs: 1 } });
    return { store, shop, billing, publisher: shop.get(Publisher) };
  }

  it('is one trace from the request to the last handler', async () => {
    const { named, spans } = sdk();
    const { publisher } = await both();
    const tracer = trace.getTracer('http');
    await tracer.startActiveSpan('POST /orders', async (request) => {
      await publisher.publish(new Ordered('4711'));
      request.end();
    });
    await eventually(() => expect(named('process shop.confirm')).toHaveLength(1));
    const chain = [
      'POST /orders',
      'publish shop.ordered',
      'process shop.ordered',
      'create shop.confirm',
      'process shop.confirm',
    ];
    const found = chain.map((name) => named(name)[0]!);
    expect(found.map((span) => span.parentSpanContext?.spanId)).toEqual([
      undefined,
      ...found.slice(0, -1).map((span) => span.spanContext().spanId),
    ]);
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(found.slice(1).map(({ kind }) => kind)).toEqual([
      ...[SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CONSUMER],
    ]);
    expect(found[2]!.attributes).toMatchObject({
      'messaging.system': 'millrace',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'shop.ordered',
      'messaging.destination.partition.id': 'shop/0',
      'messaging.consumer.group.name': 'billing',
      'messaging.message.id': expect.any(String),
      'millrace.handler': 'Billing.bill',
      'millrace.attempt': 1,
    });
  });

  it('follows a delayed message, and begins anew with each occurrence of a recurring one', async () => {
    const { named } = sdk();
    const { publisher, shop } = await both();
    await publisher.publish(new Ordered('later'));
    await eventually(() => expect(confirmed).toEqual(['later']));
    const [processed] = named('process shop.confirm');
    expect(processed?.spanContext().traceId).toBe(named('publish shop.ordered')[0]?.spanContext().traceId);
    const scheduler = shop.get(Scheduler);
    await trace.getTracer('http').startActiveSpan('PUT /schedule', async (request) => {
      await scheduler.schedule(new Confirm('again'), { cron: '* * * * * *', id: 'again' });
      request.end();
    });
    await eventually(() => expect(named('process shop.confirm').length).toBeGreaterThan(1));
    await scheduler.cancel('again');
    expect(named('process shop.confirm')[1]!.parentSpanContext).toBeUndefined();
  });

  it('tells of failures, of dead letters, and of what waits', async () => {
    const { named, values } = sdk();
    const { publisher, billing } = await both();
    await publisher.publish(new Ordered('broken'));
    await publisher.publish(new Ordered('4711'));
    await eventually(() => expect(confirmed).toEqual(['4711']));
    await eventually(() => expect(named('process shop.ordered')).toHaveLength(3));
    const failures = named('process shop.ordered').filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failures.map(({ attributes }) => attributes['millrace.attempt'])).toEqual([1, 2]);
    expect(failures[0]!.attributes['error.type']).toBe('RangeError');
    expect(failures[0]!.events).toMatchObject([{ name: 'exception' }]);
    const of = { 'messaging.destination.name': 'shop.ordered' };
    expect(await values('messaging.client.sent.messages')).toMatchObject([
      { value: 2, attributes: { ...of, 'messaging.operation.name': 'publish' } },
      { value: 1, attributes: { 'messaging.operation.name': 'create' } },
    ]);
    const consumed = (await values('messaging.client.consumed.messages')).filter(
      ({ attributes }) => attributes['messaging.destination.name'] === 'shop.ordered',
    );
    expect(consumed.map(({ value, attributes }) => [value, attributes['error.type']])).toEqual(
      expect.arrayContaining([
        [2, 'RangeError'],
        [1, undefined],
      ]),
    );
    const durations = (await values('messaging.process.duration')).filter(
      ({ attributes }) => attributes['messaging.consumer.group.name'] === 'billing',
    );
    expect(durations.map(({ value }) => (value as { count: number }).count).sort()).toEqual([1, 2]);
    await eventually(async () =>
      expect(await values('millrace.dead_letters')).toMatchObject([
        { value: 1, attributes: { ...of, 'messaging.consumer.group.name': 'billing', 'error.type': 'handler-failed' } },
      ]),
    );
    expect(await values('millrace.redelivered')).toMatchObject([
      { value: 1, attributes: { ...of, 'messaging.consumer.group.name': 'billing', 'millrace.cause': 'retry' } },
    ]);
    await billing.close();
    await publisher.publish(new Ordered('waits'));
    await eventually(async () => {
      const lag = (await values('millrace.group.lag')).find(
        ({ attributes }) =>
          attributes['messaging.consumer.group.name'] === 'billing' && attributes['millrace.log'] === 'feed',
      );
      expect(lag).toMatchObject({ value: 1, attributes: { 'messaging.destination.partition.id': 'shop/0' } });
    });
  });

  it('is not disturbed by a trace that means nothing', async () => {
    const { named } = sdk();
    const { store } = await both();
    const envelope = { specversion: '1.0', type: 'shop.confirm', source: '/x', data: { order: 'odd' } };
    const wrong = [
      'nonsense',
      17,
      `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`,
      `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    ];
    for (const [n, traceparent] of wrong.entries()) {
      const message = JSON.stringify({
        ...envelope,
        id: `odd-${n}`,
        traceparent,
        tracestate: n === 3 ? 'vendor=1' : {},
      });
      const partition = { context: 'shop', index: 0 };
      await store.commit({ partition, guards: [], writes: [{ kind: 'emit', to: partition, message }] });
    }
    await eventually(() => expect(confirmed).toHaveLength(4));
    const parents = named('process shop.confirm').map(({ parentSpanContext }) => parentSpanContext);
    expect(parents.slice(0, 3)).toEqual([undefined, undefined, undefined]);
    expect(parents[3]).toMatchObject({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) });
    expect(parents[3]?.traceState?.serialize()).toBe('vendor=1');
  });
});

@Injectable()
class Archive {
  sizes: number[] = [];

  @On(Ordered, { from: 'shop', batch: { size: 3, waitMs: 2_000 } })
  keep(orders: Ordered[]): void {
    this.sizes.push(orders.length);
    if (orders.length > 1 && orders.some(({ order }) => order === 'broken')) throw new RangeError('not all of them');
  }
}

describe('telemetry of batches', () => {
  it('is one span that links to the trace of every message; what failed is tried alone in its own trace', async () => {
    const { named, values } = sdk();
    const memory = new InMemoryPartitionStore();
    const publisher = (await service(memory, 'shop', Shop)).get(Publisher);
    const archive = (await service(memory, 'archive', Archive)).get(Archive);
    for (const order of ['1', '2', '3', '4', 'broken', '6']) await publisher.publish(new Ordered(order));
    await eventually(() => expect(archive.sizes).toEqual([3, 3, 1, 1, 1]));
    await eventually(() => expect(named('process shop.ordered')).toHaveLength(5));
    const published = named('publish shop.ordered').map((span) => span.spanContext().spanId);
    const [done, broken, ...alone] = named('process shop.ordered');
    expect(done!.links.map((link) => link.context.spanId)).toEqual(published.slice(0, 3));
    expect(broken!.links.map((link) => link.context.spanId)).toEqual(published.slice(3));
    expect([done, broken].map((span) => span!.attributes['messaging.batch.message_count'])).toEqual([3, 3]);
    expect([done, broken].map((span) => span!.status.code)).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
    expect(alone.map((span) => span.parentSpanContext?.spanId).sort()).toEqual(published.slice(3).sort());
    const consumed = (await values('messaging.client.consumed.messages')).map((each) => [
      each.attributes['error.type'],
      each.value,
    ]);
    expect(consumed).toEqual(
      expect.arrayContaining([
        [undefined, 6],
        ['RangeError', 3],
      ]),
    );
  });
});

describe('telemetry', () => {
  const store = (): InMemoryPartitionStore => new InMemoryPartitionStore();

  it('is nothing where no SDK is registered', async () => {
    const module = await service(store(), 'shop', Shop);
    expect(module.get(Broker).telemetry).toBeUndefined();
  });

  it('is there for an application that only measures, or only traces', async () => {
    metrics.setGlobalMeterProvider(new MeterProvider());
    onTestFinished(async () => void metrics.disable());
    expect((await service(store(), 'shop', Shop)).get(Broker).telemetry).toBeDefined();
    metrics.disable();
    trace.setGlobalTracerProvider(new BasicTracerProvider());
    onTestFinished(async () => void trace.disable());
    expect((await service(store(), 'shop', Shop)).get(Broker).telemetry).toBeDefined();
  });

  it('is off unless it is wanted: no span, and nothing on the wire', async () => {
    const { spans } = sdk();
    const memory = store();
    const shop = await service(memory, 'shop', Shop, { telemetry: false });
    await trace.getTracer('http').startActiveSpan('POST /orders', async (request) => {
      await shop.get(Publisher).publish(new Ordered('4711'));
      request.end();
    });
    const [entry] = await memory.readFeed({ context: 'shop', index: 0 }, 0, 1);
    expect(entry!.fields[1]).not.toContain('traceparent');
    expect(spans().map(({ name }) => name)).toEqual(['POST /orders']);
  });

  it('marks a duplicate, which was not sent', async () => {
    const { named, values } = sdk();
    const shop = await service(store(), 'shop', Shop);
    for (let n = 0; n < 2; n++) await shop.get(Publisher).publish(new Ordered('4711'), { id: 'same' });
    expect(named('publish shop.ordered').map(({ attributes }) => attributes['millrace.duplicate'])).toEqual([
      undefined,
      true,
    ]);
    expect(await values('messaging.client.sent.messages')).toMatchObject([{ value: 1 }]);
    expect(await values('millrace.redelivered')).toMatchObject([
      { value: 1, attributes: { 'messaging.destination.name': 'shop.ordered', 'millrace.cause': 'publish' } },
    ]);
  });

  it('counts what a former process had and did not finish as a takeover', async () => {
    const { values } = sdk();
    const kept = store();
    const partition = { context: 'shop', index: 0 };
    await kept.declareContext('shop', 1);
    const message = JSON.stringify({
      specversion: '1.0',
      id: '1',
      source: '/test',
      type: 'shop.confirm',
      data: { order: '4711' },
    });
    await kept.commit({ partition, guards: [], writes: [{ kind: 'emit', to: partition, message }] });
    await kept.openReader().readGroup('shop', [{ partition, log: 'in' }], 1, 0);
    await service(kept, 'shop', Shop);
    await eventually(() => expect(confirmed).toEqual(['4711']));
    expect(await values('millrace.redelivered')).toMatchObject([
      { value: 1, attributes: { 'messaging.destination.name': 'shop.confirm', 'millrace.cause': 'takeover' } },
    ]);
  });

  it('writes the trace as CloudEvents attributes', async () => {
    sdk();
    const memory = store();
    const shop = await service(memory, 'shop', Shop);
    await shop.get(Publisher).publish(new Ordered('4711'));
    const [entry] = await memory.readFeed({ context: 'shop', index: 0 }, 0, 1);
    expect(JSON.parse(entry!.fields[1]!)).toMatchObject({
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
  });
});
