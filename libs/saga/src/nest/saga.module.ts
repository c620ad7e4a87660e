import { Module } from '@nestjs/common';
import type { DynamicModule, Provider } from '@nestjs/common';
import { sagaName } from '../core/saga-class.js';
import type { SagaClass, SagaHolder } from '../core/saga-class.js';
import { Sagas } from './sagas.js';

/** What a service has once, however many of its modules declare sagas. */
@Module({ providers: [Sagas], exports: [Sagas] })
export class SagaCoreModule {}

/**
 * Runs sagas in this service. Needs `BrokerModule.forRoot`.
 *
 * @example
 * SagaModule.forFeature([PlaceOrder])
 */
@Module({})
export class SagaModule {
  /** @throws ConfigurationError for a class without `@Saga`; at start, for a name used twice */
  static forFeature(sagas: readonly SagaClass[]): DynamicModule {
    return {
      module: SagaModule,
      imports: [SagaCoreModule],
      providers: [...(sagas as unknown as Provider[]), ...sagas.map(running)],
      exports: [SagaCoreModule],
    };
  }
}

function running(type: SagaClass): Provider {
  return {
    provide: Symbol(`saga:${sagaName(type)}`),
    inject: [Sagas, type],
    useFactory: (sagas: Sagas, saga: SagaHolder) => sagas.add(saga) ?? true,
  };
}
