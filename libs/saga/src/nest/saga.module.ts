import { Broker, checkOptions, connected, connectionToken, Declarations, rules, Subscriptions } from '@millrace/broker';
import type { Rules } from '@millrace/broker';
import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, ModuleMetadata, Provider } from '@nestjs/common';
import { sagaName } from '../core/saga-class.js';
import type { SagaClass, SagaHolder } from '../core/saga-class.js';
import type { SagaRetentionOptions } from '../core/runtime/saga-retention.js';
import { Sagas } from './sagas.js';

/** What runs the sagas of each connection, however many modules declare sagas of it. */
@Injectable()
class SagaHosts {
  private readonly hosts = new Map<Broker, Sagas>();

  of(broker: Broker, subscriptions: Subscriptions, declarations: Declarations): Sagas {
    let sagas = this.hosts.get(broker);
    if (!sagas) this.hosts.set(broker, (sagas = new Sagas(broker, subscriptions, declarations)));
    return sagas;
  }
}

@Module({ providers: [SagaHosts], exports: [SagaHosts] })
export class SagaCoreModule {}

export interface SagaFeatureOptions {
  /** The connection whose context the sagas belong to. Default: the one without a name. */
  readonly broker?: string;
  /** How long these sagas are kept after their end: `{ completed: '30d' }`. Default: for ever. */
  readonly retention?: SagaRetentionOptions;
  /** Modules that export what the constructors of the sagas ask for. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
}

const RULES: Rules<SagaFeatureOptions> = {
  broker: rules.text,
  imports: rules.definitions,
  retention: (value, name) => {
    if (typeof value === 'object' && value !== null) return undefined;
    return `${name}: ${String(value)}; it must be an object such as { completed: '30d' }`;
  },
};

/**
 * Runs sagas in this service. Needs `BrokerModule.forRoot`. Provides `Sagas`; that of a named connection is injected with
 * `@InjectFrom(name, Sagas)`.
 *
 * @example
 * SagaModule.forFeature([PlaceOrder])
 */
@Module({})
export class SagaModule {
  /** @throws ConfigurationError for a class without `@Saga`; at start, for a name used twice */
  static forFeature(sagas: readonly SagaClass[], options: SagaFeatureOptions = {}): DynamicModule {
    checkOptions('SagaModule.forFeature', { sagas, ...options }, { sagas: rules.classes, ...RULES });
    const { broker, imports = [], retention } = options;
    const host = hostOf(broker);
    return {
      module: SagaModule,
      imports: [SagaCoreModule, ...imports],
      providers: [host, ...(sagas as unknown as Provider[]), ...sagas.map((type) => running(type, host, retention))],
      exports: [host.provide],
    };
  }
}

function hostOf(connection: string | undefined): FactoryProvider {
  return connected({
    provide: connectionToken(Sagas, connection),
    wanting: 'SagaModule.forFeature',
    connection,
    services: [Subscriptions, Declarations],
    inject: [SagaHosts],
    useFactory: (broker: Broker, subscriptions: Subscriptions, declarations: Declarations, hosts: SagaHosts) =>
      hosts.of(broker, subscriptions, declarations),
  });
}

function running(type: SagaClass, host: FactoryProvider, retention?: SagaRetentionOptions): FactoryProvider {
  return {
    provide: Symbol(`saga:${sagaName(type)}`),
    inject: [host.provide, type],
    useFactory: (sagas: Sagas, saga: SagaHolder) => sagas.add(saga, retention) ?? true,
  };
}
