import { Module } from '@nestjs/common';
import type { INestApplicationContext, ModuleMetadata, Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Broker,
  BrokerModule,
  InMemoryPartitionStore,
  Publisher,
  RedisPartitionStore,
  Subscriber,
} from '@millrace/broker';
import type { BrokerFeatureOptions, BrokerModuleOptions, DeadLetter, PartitionStore } from '@millrace/broker';
import { freshNamespace, onTestFinished, redisUrl } from './redis.js';

export interface ServiceOptions extends Partial<BrokerModuleOptions> {
  readonly context: string;
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  readonly providers?: readonly Provider[];
  readonly feature?: BrokerFeatureOptions;
}

/** One partition each, so that a test can look into it; whoever meets first must say so. */
const PARTITIONS = Object.fromEntries(
  ['shop', 'depot', 'north', 'south', 'lister', 'cutting', 'painting', 'packing'].map((context) => [context, 1]),
);

/** A place where services of several contexts meet, in memory or in Redis. All end with the test. */
export class Meeting {
  private constructor(readonly open: () => Promise<PartitionStore>) {}

  static inMemory(): Meeting {
    const store = new InMemoryPartitionStore();
    return new Meeting(() => Promise.resolve(store));
  }

  static inRedis(url = redisUrl(), namespace = freshNamespace()): Meeting {
    return new Meeting(() => RedisPartitionStore.connect({ url, namespace }));
  }

  /** A service with a connection of its own. */
  async service({ context, imports = [], providers = [], feature = {}, ...options }: ServiceOptions): Promise<Service> {
    const store = await this.open();
    @Module({
      imports: [
        BrokerModule.forRoot({
          context,
          partitions: PARTITIONS,
          store,
          blockMs: 50,
          retry: { attempts: 2, delayMs: 1 },
          ...options,
        }),
        BrokerModule.forFeature(feature),
        ...imports,
      ],
      providers: [...providers],
    })
    class App {}
    const app = (await Test.createTestingModule({ imports: [App] }).compile()).createNestApplication({ logger: false });
    let closed = false;
    const service = new Service(app, store, context, async () => {
      if (closed) return;
      closed = true;
      await app.close();
      await store.close();
    });
    onTestFinished(() => service.close());
    await app.init();
    return service;
  }
}

export class Service {
  readonly broker: Broker;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;

  constructor(
    readonly app: INestApplicationContext,
    readonly store: PartitionStore,
    private readonly context: string,
    readonly close: () => Promise<void>,
  ) {
    this.broker = app.get(Broker);
    this.publisher = app.get(Publisher);
    this.subscriber = app.get(Subscriber);
  }

  deadLetters(index = 0, context = this.context): Promise<readonly DeadLetter[]> {
    return this.store.readDeadLetters({ context, index }, 100);
  }

  /** Messages in the own feed, as they are written. */
  async feed(index = 0): Promise<readonly { readonly type: string; readonly data: unknown }[]> {
    const entries = await this.store.readFeed({ context: this.context, index }, 0, 1_000);
    return entries.map(({ fields }) => JSON.parse(fields[1]!) as { type: string; data: unknown });
  }
}
