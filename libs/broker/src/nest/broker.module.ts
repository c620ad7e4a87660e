import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Broker } from '../core/broker.js';
import { checkIsObject, checkOptions } from '../core/options/check-options.js';
import { func, text } from '../core/options/rules.js';
import { Declarations, IN_CODE } from '../core/topology/declarations.js';
import { ConfigurableModuleClass, FEATURE_RULES, MODULE_RULES, TRANSFORM_RULES } from './broker-options.js';
import type {
  BrokerFeatureAsyncOptions,
  BrokerFeatureOptions,
  BrokerModuleAsyncOptions,
  BrokerModuleOptions,
  ConnectionName,
} from './broker-options.js';
import { connectionServices, registration } from './connection-providers.js';
import { connected } from './connected.js';
import { DEFAULT_CONNECTION } from './connection-tokens.js';
import { ConsumptionModule } from './consumption.js';
import { StoreOwner } from './store-owner.js';

/**
 * Millrace in a Nest application: `forRoot` or `forRootAsync` once per connection, with the context of the service;
 * `forFeature` for transforms. Global: `Broker`, `Publisher` and the store can be injected anywhere; those of a named
 * connection with `@InjectBroker(name)`, `@InjectPublisher(name)`, `@InjectFrom(name, ...)`.
 *
 * Consuming starts after every `onModuleInit` and `onApplicationBootstrap` of the application, and has ended, with what was
 * being handled, before the first `onModuleDestroy`. Publishing works until all of `onApplicationShutdown` is done.
 */
@Module({ imports: [ConsumptionModule], providers: [StoreOwner] })
export class BrokerModule extends ConfigurableModuleClass {
  /** @throws ConfigurationError without options; at start, for those that cannot work */
  static override forRoot(options: BrokerModuleOptions & ConnectionName): DynamicModule {
    checkIsObject('BrokerModule.forRoot', options, MODULE_RULES);
    const { name, ...rest } = options;
    return connection(super.forRoot(rest), name);
  }

  /** As {@link forRoot}, with options from `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: BrokerModuleAsyncOptions): DynamicModule {
    checkIsObject('BrokerModule.forRootAsync', options, MAKERS);
    const { name, ...rest } = options;
    return connection(super.forRootAsync(rest), name);
  }

  /**
   * Adds transforms at the boundary of this service, and says what its code publishes.
   *
   * @throws ConfigurationError for what is no list of transforms; at start, for a class that is no message, for an event of
   *   another context, and for a connection that the application does not have
   */
  static forFeature(options: BrokerFeatureOptions): DynamicModule {
    checkOptions('BrokerModule.forFeature', options, FEATURE_RULES);
    const { broker, publishes = [], ...transforms } = options;
    const connected = broker === undefined ? {} : { broker };
    return BrokerModule.forFeatureAsync({ ...connected, publishes, useFactory: () => transforms });
  }

  /** As {@link forFeature}, with transforms that are made of providers. */
  static forFeatureAsync({
    broker: name,
    publishes = [],
    imports = [],
    inject = [],
    useFactory,
  }: BrokerFeatureAsyncOptions): DynamicModule {
    return {
      module: BrokerFeatureModule,
      imports,
      providers: [
        connected({
          provide: Symbol('millrace:transforms'),
          wanting: 'BrokerModule.forFeature',
          connection: name,
          services: [Declarations],
          inject,
          useFactory: async (broker: Broker, declarations: Declarations, ...injected: unknown[]) => {
            const transforms = await useFactory(...injected);
            checkOptions('BrokerModule.forFeatureAsync', transforms, TRANSFORM_RULES);
            broker.addTransforms(transforms);
            declarations.sends(IN_CODE, publishes);
            return true;
          },
        }),
      ],
    };
  }
}

/** Ways to make options. */
const MAKERS = { useFactory: func, useClass: func, useExisting: func };

@Module({})
export class BrokerFeatureModule {}

function connection(definition: DynamicModule, name = DEFAULT_CONNECTION): DynamicModule {
  checkOptions('BrokerModule.forRoot', { name }, { name: text });
  const services = connectionServices(name);
  return {
    ...definition,
    global: true,
    providers: [...(definition.providers ?? []), ...services, registration(name)],
    exports: services.map(({ provide }) => provide),
  };
}
