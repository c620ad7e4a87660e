import { ConfigurableModuleBuilder, Inject, Injectable, Logger, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { Transform } from '@millrace/transforms';
import { Broker } from '../core/broker.js';
import type { BrokerSettings } from '../core/broker.js';
import { Subscriptions } from '../core/handler.js';
import type { PartitionStore } from '../core/partition-store.js';
import { Publisher } from '../core/publisher.js';
import { Subscriber } from '../core/subscriber.js';
import type { SubscriberSettings } from '../core/subscriber.js';
import { RedisPartitionStore } from '../redis/redis-partition-store.js';
import type { RedisStoreOptions } from '../redis/redis-partition-store.js';
import { HandlerExplorer } from './handler-explorer.js';

export interface BrokerModuleOptions extends BrokerSettings, SubscriberSettings {
  /** Separates systems that share a Redis. Default `millrace`. */
  readonly namespace?: string;
  /** Where Redis is. Default `redis://127.0.0.1:6379`. */
  readonly redis?: Omit<RedisStoreOptions, 'namespace'>;
  /** Another place for the partitions, e.g. an InMemoryPartitionStore; `redis` and `namespace` are not used then. */
  readonly store?: PartitionStore;
  /** Start to consume when the application has started. Default true; else call `Subscriber.start()`. */
  readonly autoStart?: boolean;
}

export interface BrokerFeatureOptions {
  /** Applied to received messages before handlers are looked up, in this order. */
  readonly inbound?: readonly Transform[];
  /** Applied to messages before they are written, in this order. */
  readonly outbound?: readonly Transform[];
}

/** Injection token of the {@link PartitionStore}. */
export const PARTITION_STORE = Symbol.for('millrace:partition-store');

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<BrokerModuleOptions>({
  moduleName: 'Broker',
})
  .setClassMethodName('forRoot')
  .setExtras({}, (definition) => ({ ...definition, global: true }))
  .build();

/** Starts to consume once the application is up, and stops before its connections go. */
@Injectable()
class BrokerLifecycle implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  private readonly logger = new Logger('Millrace');

  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: BrokerModuleOptions,
    @Inject(PARTITION_STORE) private readonly store: PartitionStore,
    @Inject(HandlerExplorer) private readonly explorer: HandlerExplorer,
    @Inject(Subscriber) private readonly subscriber: Subscriber,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { server, warnings } = await this.store.inspect();
    this.logger.log(`context '${this.options.context}' on ${server}`);
    for (const warning of warnings) this.logger.warn(warning);
    this.explorer.explore();
    if (this.options.autoStart ?? true) await this.subscriber.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.subscriber.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.subscriber.stop();
    if (!this.options.store) await this.store.close();
  }
}

/**
 * Millrace in a Nest application: `forRoot` or `forRootAsync` once, with the context of the service; `forFeature` for
 * transforms. Global: `Broker`, `Publisher` and the store can be injected anywhere.
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: PARTITION_STORE,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: ({ store, redis, namespace }: BrokerModuleOptions): PartitionStore | Promise<PartitionStore> =>
        store ?? RedisPartitionStore.connect({ ...redis, ...(namespace === undefined ? {} : { namespace }) }),
    },
    {
      provide: Broker,
      inject: [PARTITION_STORE, MODULE_OPTIONS_TOKEN],
      useFactory: (store: PartitionStore, options: BrokerModuleOptions) => new Broker(store, options),
    },
    { provide: Publisher, inject: [Broker], useFactory: (broker: Broker) => new Publisher(broker) },
    { provide: Subscriptions, inject: [Broker], useFactory: ({ context }: Broker) => new Subscriptions(context) },
    {
      provide: Subscriber,
      inject: [Broker, Subscriptions, MODULE_OPTIONS_TOKEN],
      useFactory: (broker: Broker, subscriptions: Subscriptions, options: BrokerModuleOptions) =>
        new Subscriber(broker, subscriptions, options, new Logger('Millrace')),
    },
    HandlerExplorer,
    BrokerLifecycle,
  ],
  exports: [PARTITION_STORE, Broker, Publisher, Subscriptions, Subscriber],
})
export class BrokerModule extends ConfigurableModuleClass {
  /** Adds transforms at the boundary of this service. */
  static forFeature({ inbound = [], outbound = [] }: BrokerFeatureOptions): DynamicModule {
    const token = Symbol('millrace:transforms');
    return {
      module: BrokerFeatureModule,
      providers: [
        {
          provide: token,
          inject: [Broker],
          useFactory: (broker: Broker) => broker.addTransforms(inbound, outbound) ?? true,
        },
      ],
    };
  }
}

@Module({})
export class BrokerFeatureModule {}
