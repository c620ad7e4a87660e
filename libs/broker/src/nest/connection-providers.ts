import { Logger } from '@nestjs/common';
import type { FactoryProvider, Type } from '@nestjs/common';
import { FeedArchive, withArchive } from '../core/archive/index.js';
import { Broker } from '../core/broker.js';
import { BrokerMonitor } from '../core/broker-monitor.js';
import { DeadLetters } from '../core/dead-letters.js';
import { Subscriptions } from '../core/handler.js';
import { checkOptions } from '../core/options/check-options.js';
import type { PartitionStore } from '../core/partition-store.js';
import { DataSubjects } from '../core/personal-data/data-subjects.js';
import { Publisher } from '../core/publisher.js';
import { Requester } from '../core/requester.js';
import { Scheduler } from '../core/scheduler.js';
import { Subscriber } from '../core/subscriber.js';
import { watchedBy } from '../core/telemetry.js';
import { Declarations } from '../core/topology/declarations.js';
import { RedisPartitionStore } from '../redis/redis-partition-store.js';
import { openTelemetry } from '../telemetry/load.js';
import { BrokerHealthIndicator } from './broker-health.js';
import { MODULE_OPTIONS_TOKEN, MODULE_RULES } from './broker-options.js';
import type { BrokerModuleOptions } from './broker-options.js';
import { connectionToken, PARTITION_STORE } from './connection-tokens.js';
import { Connections } from './connections.js';
import { OPEN_STORE, StoreOwner } from './store-owner.js';
import type { OpenStore } from './store-owner.js';

/** The services of one connection. All of them can be injected, and replaced in a test. */
export function connectionServices(name: string): FactoryProvider[] {
  const of = (service: Type<unknown> | symbol) => connectionToken(service, name);
  return [
    {
      provide: of(PARTITION_STORE),
      inject: [StoreOwner, MODULE_OPTIONS_TOKEN, { token: OPEN_STORE, optional: true }],
      useFactory: async (owner: StoreOwner, options: BrokerModuleOptions, open: OpenStore = openRedis) => {
        checkOptions('BrokerModule.forRoot', options, MODULE_RULES, ['context']);
        if (options.personalData) await owner.own(options.personalData.keys);
        const store = options.store ?? (await owner.own(open(options)));
        const archive = options.retention?.feed?.archive;
        return archive instanceof FeedArchive ? withArchive(store, archive) : store;
      },
    },
    {
      provide: of(Broker),
      inject: [of(PARTITION_STORE), MODULE_OPTIONS_TOKEN],
      useFactory: async (store: PartitionStore, { telemetry, ...options }: BrokerModuleOptions) =>
        new Broker(store, { ...options, telemetry: telemetry ? await openTelemetry() : undefined }),
    },
    { provide: of(DataSubjects), inject: [of(Broker)], useFactory: (broker: Broker) => new DataSubjects(broker) },
    { provide: of(Publisher), inject: [of(Broker)], useFactory: (broker: Broker) => new Publisher(broker) },
    { provide: of(Scheduler), inject: [of(Broker)], useFactory: (broker: Broker) => new Scheduler(broker) },
    {
      provide: of(Requester),
      inject: [of(Broker), MODULE_OPTIONS_TOKEN],
      useFactory: (broker: Broker, options: BrokerModuleOptions) =>
        new Requester(broker, options, new Logger('Millrace')),
    },
    {
      provide: of(Subscriptions),
      inject: [of(Broker)],
      useFactory: ({ context, telemetry }: Broker) => new Subscriptions(context, watchedBy(telemetry)),
    },
    { provide: of(Declarations), useFactory: () => new Declarations() },
    {
      provide: of(DeadLetters),
      inject: [of(Broker), of(Subscriptions)],
      useFactory: (broker: Broker, subscriptions: Subscriptions) => new DeadLetters(broker, subscriptions),
    },
    {
      provide: of(Subscriber),
      inject: [of(Broker), of(Subscriptions), MODULE_OPTIONS_TOKEN],
      useFactory: (broker: Broker, subscriptions: Subscriptions, options: BrokerModuleOptions) =>
        new Subscriber(broker, subscriptions, options, new Logger('Millrace')),
    },
    {
      provide: of(BrokerMonitor),
      inject: [of(Broker), of(Subscriptions), of(Subscriber), MODULE_OPTIONS_TOKEN],
      useFactory: (
        broker: Broker,
        subscriptions: Subscriptions,
        { retention }: Subscriber,
        { health }: BrokerModuleOptions,
      ) => new BrokerMonitor(broker, subscriptions, retention, health),
    },
    {
      provide: of(BrokerHealthIndicator),
      inject: [of(BrokerMonitor)],
      useFactory: (monitor: BrokerMonitor) => new BrokerHealthIndicator(monitor),
    },
  ];
}

/** Makes the connection known to the application, which explores its handlers and starts it. */
export function registration(name: string): FactoryProvider {
  const of = (service: Type<unknown> | symbol) => connectionToken(service, name);
  return {
    provide: Symbol(`connection:${name}`),
    inject: [
      Connections,
      MODULE_OPTIONS_TOKEN,
      of(PARTITION_STORE),
      of(Broker),
      of(Subscriptions),
      of(Subscriber),
      of(Requester),
      of(Declarations),
      StoreOwner,
    ],
    useFactory: (
      connections: Connections,
      options: BrokerModuleOptions,
      store: PartitionStore,
      broker: Broker,
      subscriptions: Subscriptions,
      subscriber: Subscriber,
      requester: Requester,
      declarations: Declarations,
      owner: StoreOwner,
    ) =>
      connections.add({ name, options, store, broker, subscriptions, subscriber, requester, declarations, owner }) ??
      true,
  };
}

const openRedis: OpenStore = ({ redis, namespace }) =>
  RedisPartitionStore.connect({ ...redis, ...(namespace === undefined ? {} : { namespace }) });
