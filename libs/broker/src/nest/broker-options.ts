import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { ConfigurableModuleAsyncOptions, FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { MessageClass } from '@millrace/messages';
import type { BoundaryTransforms } from '../core/boundary.js';
import { BROKER_RULES } from '../core/broker-settings.js';
import type { BrokerSettings } from '../core/broker-settings.js';
import { HEALTH_RULES } from '../core/health.js';
import type { HealthOptions } from '../core/health.js';
import { fields } from '../core/options/check-options.js';
import type { Rules } from '../core/options/check-options.js';
import { classes, store, text, transforms, yesOrNo } from '../core/options/rules.js';
import type { PartitionStore } from '../core/partition-store.js';
import { REQUESTER_RULES } from '../core/requester-settings.js';
import type { RequesterSettings } from '../core/requester-settings.js';
import { SUBSCRIBER_RULES } from '../core/subscriber-settings.js';
import type { SubscriberSettings } from '../core/subscriber-settings.js';
import { STORE_RULES } from '../redis/redis-store-options.js';
import type { RedisStoreOptions } from '../redis/redis-store-options.js';

export interface BrokerModuleOptions extends Omit<BrokerSettings, 'telemetry'>, SubscriberSettings, RequesterSettings {
  /** Separates systems that share a Redis. Default `millrace`. */
  readonly namespace?: string;
  /** Where Redis is. Default `redis://127.0.0.1:6379`. */
  readonly redis?: Omit<RedisStoreOptions, 'namespace'>;
  /** Another place for the partitions, e.g. an InMemoryPartitionStore; `redis` and `namespace` are not used then. */
  readonly store?: PartitionStore;
  /**
   * Traces and metrics by OpenTelemetry: spans of what is published, sent and handled, connected across services; counts,
   * durations and lag. Needs `@opentelemetry/api`, and the SDK's providers to be registered before the module is made; without
   * any it does nothing, and costs nothing. Default false.
   */
  readonly telemetry?: boolean;
  /** When `BrokerMonitor` and `BrokerHealthIndicator` call the service degraded or down. */
  readonly health?: HealthOptions;
  /** Start to consume when the application has started. Default true; else call `Subscriber.start()`. */
  readonly autoStart?: boolean;
}

const { namespace, ...WITHOUT_NAMESPACE } = STORE_RULES;

export const MODULE_RULES: Rules<BrokerModuleOptions> = {
  ...BROKER_RULES,
  ...SUBSCRIBER_RULES,
  ...REQUESTER_RULES,
  namespace,
  redis: fields<Omit<RedisStoreOptions, 'namespace'>>(WITHOUT_NAMESPACE),
  store,
  telemetry: yesOrNo,
  health: fields(HEALTH_RULES),
  autoStart: yesOrNo,
};

/** Beside the options: which connection of the application they are for. */
export interface ConnectionName {
  /**
   * An application may have several connections, each with its context and its place: what belongs to a named one says so,
   * `@InjectPublisher('billing')`, `@On(Paid, { broker: 'billing' })`. Default: the connection that needs no name.
   */
  readonly name?: string;
}

/** A class that makes the options: `forRootAsync({ useClass })` or `useExisting`. */
export interface BrokerOptionsFactory {
  createBrokerOptions(): BrokerModuleOptions | Promise<BrokerModuleOptions>;
}

export type BrokerModuleAsyncOptions = ConfigurableModuleAsyncOptions<BrokerModuleOptions, 'createBrokerOptions'> &
  ConnectionName;

/** The transforms of a connection, behind those that other modules declare for it. */
export interface BrokerFeatureOptions extends BoundaryTransforms {
  /** The connection it is for. Default: the one without a name. */
  readonly broker?: string;
  /**
   * Events and commands that code of the service publishes and sends, for what describes the service, such as AsyncAPI.
   * Those of aggregates, sagas and replies are known without.
   */
  readonly publishes?: readonly MessageClass[];
}

export const TRANSFORM_RULES: Rules<BoundaryTransforms> = {
  inbound: transforms,
  outbound: transforms,
  stored: transforms,
};

export const FEATURE_RULES: Rules<BrokerFeatureOptions> = { broker: text, publishes: classes, ...TRANSFORM_RULES };

/** Transforms that need something of the application: a query, a claim store. */
export interface BrokerFeatureAsyncOptions {
  /** The connection they are for. Default: the one without a name. */
  readonly broker?: string;
  /** As of {@link BrokerFeatureOptions}. */
  readonly publishes?: readonly MessageClass[];
  /** Modules that export what is injected. */
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever is injected, as Nest's own factories have it
  readonly useFactory: (...injected: any[]) => BoundaryTransforms | Promise<BoundaryTransforms>;
}

/** Nest's own way from options to a module: `forRoot`, and `forRootAsync` with a factory, a class or what exists. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<BrokerModuleOptions>({
  moduleName: 'Broker',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createBrokerOptions')
  .build();
