import { Inject } from '@nestjs/common';
import type { InjectionToken, Type } from '@nestjs/common';
import { Broker } from '../core/broker.js';
import { Publisher } from '../core/publisher.js';
import { Requester } from '../core/requester.js';
import { Scheduler } from '../core/scheduler.js';

/** The connection that is meant where none is named. */
export const DEFAULT_CONNECTION = 'default';

/** Injection token of the default connection's {@link PartitionStore}; of a named one: `connectionToken(PARTITION_STORE, name)`. */
export const PARTITION_STORE = Symbol.for('millrace:partition-store');

/**
 * What a service of a connection is provided under: for the default one its class, so that it needs no `@Inject`; for a
 * named one a text such as `Publisher(billing)`.
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(connectionToken(Publisher, 'billing'))
 */
export function connectionToken(service: Type<unknown> | symbol, connection = DEFAULT_CONNECTION): InjectionToken {
  if (connection === DEFAULT_CONNECTION) return service;
  return `${typeof service === 'symbol' ? 'PartitionStore' : service.name}(${connection})`;
}

/** Injects a service of a connection: `@InjectFrom('billing', Scheduler)`. */
export function InjectFrom(
  connection: string,
  service: Type<unknown> | symbol,
): ParameterDecorator & PropertyDecorator {
  return Inject(connectionToken(service, connection));
}

/** Injects the `Broker` of a connection; without a name that of the default one. */
export function InjectBroker(connection?: string): ParameterDecorator & PropertyDecorator {
  return Inject(connectionToken(Broker, connection));
}

/** Injects the `Publisher` of a connection; without a name that of the default one. */
export function InjectPublisher(connection?: string): ParameterDecorator & PropertyDecorator {
  return Inject(connectionToken(Publisher, connection));
}

/** Injects the `Requester` of a connection; without a name that of the default one. */
export function InjectRequester(connection?: string): ParameterDecorator & PropertyDecorator {
  return Inject(connectionToken(Requester, connection));
}

/** Injects the `Scheduler` of a connection; without a name that of the default one. */
export function InjectScheduler(connection?: string): ParameterDecorator & PropertyDecorator {
  return Inject(connectionToken(Scheduler, connection));
}
