import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerModule, On, Requester, Handles, PARTITION_STORE, Publisher } from '@millrace/broker';
import type { BrokerModuleOptions, PartitionStore } from '@millrace/broker';
import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';
import {
  Addresses,
  addressed,
  anonymous,
  audited,
  bySize,
  consumesLargeData,
  Depot,
  Dispatch,
  Engraving,
  everywhere,
  forOldConsumers,
  fromEverywhere,
  groups,
  LinePacked,
  masked,
  nearest,
  Note,
  Noted,
  OrderDesk,
  OrderPacked,
  OrderPlaced,
  OrderReceived,
  Pack,
  Packed,
  packEachLine,
  ParcelOrdered,
  publishesLargeData,
  ReceivingDesk,
  replayEveryVersion,
  small,
  Statistics,
  throughTheWorkshop,
  versions,
  WarehouseModule,
  wholeOrder,
  worthIt,
  Wrapping,
} from './transforms.js';

const lines = [
  { sku: 'pen', cents: 200 },
  { sku: 'ink', cents: 1_200 },
];

describe('the code of the guide to transforms', () => {
  async function start(module: Type | DynamicModule, place: PartitionStore): Promise<INestApplication> {
    const testing = Test.createTestingModule({ imports: [module] })
      .overrideProvider(PARTITION_STORE)
      .useValue(place);
    const app = (await testing.compile()).createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    return app.init();
  }

  /** A service of a context, with features of the guide. */
  function service(
    context: string,
    place: PartitionStore,
    {
      providers = [],
      features = [],
      ...options
    }: Partial<BrokerModuleOptions> & { providers?: Type[]; features?: DynamicModule[] },
  ): Promise<INestApplication> {
    // Global, so that features find what they inject.
    @Module({ providers, exports: providers })
    class Providers {}
    const imports = [BrokerModule.forRoot({ context, retry: { delayMs: 1 }, ...options }), ...features];
    return start({ module: class Service {}, imports: [{ module: Providers, global: true }, ...imports] }, place);
  }

  const shop = async (place: PartitionStore, ...features: DynamicModule[]) =>
    (await service('order', place, { providers: [OrderDesk], features })).get(OrderDesk);

  it('translates for a service, a group and a handler', async () => {
    const place = await redisStore();
    const desk = (await start(WarehouseModule, place)).get(ReceivingDesk);
    const statistics = (await service('bureau', place, { providers: [Statistics] })).get(Statistics);
    await (await shop(place)).place({ orderId: 'o-1', lines });

    const received = { reference: 'o-1', articles: ['pen', 'ink'] };
    await eventually(() => expect(desk.received).toEqual([received]));
    await eventually(() => expect(statistics.articles).toBe(2));

    @Injectable()
    class ByGroup {
      @On(OrderReceived, { from: 'order', group: 'statistics' })
      receive(order: OrderReceived): void {
        desk.received.push(order);
      }
    }
    await service('counter', place, { providers: [ByGroup], groups });
    await eventually(() => expect(desk.received).toEqual([received, received]));
  });

  it('brings old versions forward and new ones back, and holds them in a golden history', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'golden-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const write = (version: number, data: object) =>
      writeFile(
        join(folder, `order.placed.v${version}.json`),
        JSON.stringify({ id: 'a', source: '/order', type: 'order.placed', schemaversion: version, data }),
      );
    const rest = { email: 'ada@example.com', lines };
    await write(1, { id: 'o-1', ...rest });
    await write(2, { orderId: 'o-1', ...rest });
    expect(() => replayEveryVersion(folder)).toThrow('has no message order.placed of version 3');
    await write(3, { orderId: 'o-1', ...rest, currency: 'EUR' });
    for (const { data } of replayEveryVersion(folder))
      expect(data).toEqual({ orderId: 'o-1', ...rest, currency: 'EUR' });

    const place = await redisStore();
    const seen: string[] = [];
    @Injectable()
    class Reader {
      @On(OrderPlaced) placed({ currency }: OrderPlaced): void {
        seen.push(currency);
      }
    }
    await service('reader', place, { providers: [Reader], features: [versions] });
    await (await shop(place, BrokerModule.forFeature({ outbound: [forOldConsumers] }))).place({ currency: 'CHF' });
    // The old shape has no currency, and euros were all there was.
    await eventually(() => expect(seen).toEqual(['EUR']));
  });

  it('enriches with a provider', async () => {
    const place = await redisStore();
    const parcels: ParcelOrdered[] = [];
    @Injectable()
    class Parcels {
      @On(ParcelOrdered, { from: 'order' }) ordered(parcel: ParcelOrdered): void {
        parcels.push(parcel);
      }
    }
    await service('warehouse', place, { providers: [Parcels, Addresses], features: [addressed] });
    await (await shop(place)).place({});
    const address = 'the house of ada@example.com';
    await eventually(() => expect(parcels).toEqual([{ orderId: 'o-1', email: 'ada@example.com', address }]));
  });

  it('redacts, normalizes and filters', async () => {
    const place = await redisStore();
    const seen: unknown[] = [];
    @Injectable()
    class Desk {
      @On(OrderPlaced, { group: 'anonymous', inbound: [anonymous] }) one({ note, lines: [line] }: OrderPlaced): void {
        seen.push(`${note} ${line!.sku}`);
      }
      @On(OrderPlaced, { group: 'masked', inbound: [masked] }) two({ email, lines: [line] }: OrderPlaced): void {
        seen.push(`${email} ${line!.cents}`);
      }
      @On(OrderReceived, { group: 'all', inbound: [fromEverywhere] }) three({ reference }: OrderReceived): void {
        seen.push(reference);
      }
      @On(OrderPlaced, { group: 'worth', inbound: [worthIt] }) four({ orderId }: OrderPlaced): void {
        seen.push(`worth ${orderId}`);
      }
    }
    await service('bureau', place, { providers: [Desk] });
    const desk = await shop(place);
    await desk.place({ orderId: 'cheap', note: 'ring twice', lines: [{ sku: 'pen', cents: 200 }] });
    await desk.place({ orderId: 'dear', lines: [{ sku: 'ink', cents: 1_200 }] });
    const erp = { id: 'e', source: '/erp', type: 'erp.ordr', data: { ORDNR: 7, ARTNR: 'nib' } };
    await place.commit({
      partition: { context: 'erp', index: 0 },
      guards: [],
      writes: [{ kind: 'append', events: [JSON.stringify(erp)] }],
    });
    await eventually(() =>
      expect(seen.toSorted()).toEqual([
        '[redacted] [redacted]',
        'cheap',
        'dear',
        'erp-7',
        'somebody@example.com 0',
        'somebody@example.com 0',
        'undefined [redacted]',
        'worth dear',
      ]),
    );
  });

  it('splits, and gathers', async () => {
    const place = await redisStore();
    const done: string[] = [];
    @Injectable()
    class Packing {
      constructor(private readonly publisher: Publisher) {}
      @Handles(Pack) async pack({ orderId, sku }: Pack): Promise<Packed> {
        await this.publisher.publish(Object.assign(new LinePacked(), { orderId, sku, lines: 2 }));
        return Object.assign(new Packed(), { sku });
      }
    }
    @Injectable()
    class Loading {
      @On(OrderPacked, { inbound: [wholeOrder], group: 'loading' }) load({ orderId, skus }: OrderPacked): void {
        done.push(`${orderId} ${skus.toSorted().join()}`);
      }
    }
    await service('warehouse', place, { providers: [Packing, Loading] });
    await (await shop(place, BrokerModule.forFeature({ outbound: [packEachLine] }))).place({ lines });
    await eventually(() => expect(done).toEqual(['o-1 ink,pen']));
  });

  it('routes to handlers and to contexts, and copies', async () => {
    const place = await redisStore();
    const routed = BrokerModule.forFeature({ inbound: [bySize] });
    const dispatch = (await service('dispatch', place, { providers: [Dispatch], features: [routed] })).get(Dispatch);
    const desk = await shop(place);
    await desk.place({ orderId: 'small', lines: lines.slice(1) });
    await desk.place({ orderId: 'large', lines });
    await eventually(() => expect(dispatch.sent.toSorted()).toEqual(['letter small', 'parcel large']));

    const north = (await service('north', place, { providers: [Depot] })).get(Depot);
    const south = (await service('south', place, { providers: [Depot] })).get(Depot);
    const send = async (transform: typeof nearest, ...skus: string[]) => {
      const feature = BrokerModule.forFeature({ outbound: [transform] });
      const publisher = (await service('sender', place, { features: [feature] })).get(Publisher);
      for (const sku of skus) await publisher.send(Object.assign(new Pack(), { orderId: 'o', sku }));
    };
    await send(nearest, 'ink', 'pen');
    await send(everywhere, 'catalogue', 'zip');
    await eventually(() =>
      expect([north.packed, south.packed]).toEqual([
        ['ink', 'catalogue', 'zip'],
        ['pen', 'catalogue'],
      ]),
    );
  });

  it('taps', async () => {
    const place = await redisStore();
    const notes: string[] = [];
    @Injectable()
    class Audit {
      @Handles(Note) note({ text }: Note): Noted {
        notes.push(text);
        return new Noted();
      }
    }
    await service('audit', place, { providers: [Audit] });
    await (await shop(place, BrokerModule.forFeature({ outbound: [audited] }))).place({});
    await eventually(() => expect(notes).toEqual(['o-1 was placed']));
  });

  it('sends a command through the workshop', async () => {
    const place = await redisStore();
    await service('engraving', place, { providers: [Engraving] });
    await service('wrapping', place, { providers: [Wrapping] });
    const feature = BrokerModule.forFeature({ outbound: [throughTheWorkshop] });
    const requester = (await service('sender', place, { features: [feature] })).get(Requester);
    const pack = (sku: string) => requester.request(Object.assign(new Pack(), { orderId: 'o', sku }));
    expect(await pack('ring of gold')).toEqual({ sku: 'ring of gold, engraved, wrapped' });
    expect(await pack('pen')).toEqual({ sku: 'pen, wrapped' });
  });

  it('compresses large data, and keeps larger ones out of the stream', async () => {
    const place = await redisStore();
    const seen: number[] = [];
    @Injectable()
    class Reader {
      @On(OrderPlaced) placed({ lines: all }: OrderPlaced): void {
        seen.push(all.length);
      }
    }
    await service('reader', place, { providers: [Reader], features: [consumesLargeData] });
    const desk = await shop(place, small, publishesLargeData);
    const many = Array.from({ length: 50_000 }, (_, i) => ({ sku: `sku ${(i * 7_919) % 50_000}`, cents: i }));
    for (const length of [1, 1_000, 50_000]) await desk.place({ lines: many.slice(0, length) });
    await eventually(() => expect(seen).toEqual([1, 1_000, 50_000]));
    const feeds = await Promise.all([0, 1, 2, 3].map((index) => place.readFeed({ context: 'order', index }, 0, 10)));
    const written = feeds.flat().map(({ fields }) => JSON.parse(fields[1]!) as Record<string, unknown>);
    expect(written.map((message) => Object.keys(message).filter((name) => name.startsWith('data')))).toEqual([
      ['data'],
      ['dataencoding', 'data_base64'],
      ['dataref'],
    ]);
  });
});
