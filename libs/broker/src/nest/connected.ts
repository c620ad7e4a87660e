import type { FactoryProvider, InjectionToken, Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Broker } from '../core/broker.js';
import { connectionToken, DEFAULT_CONNECTION } from './connection-tokens.js';
import { unknownConnection } from './connections.js';

/** A provider that is made of services of a connection. */
export interface ConnectedProvider {
  readonly provide: InjectionToken;
  /** Who names the connection, for the error: `SagaModule.forFeature`. */
  readonly wanting: string;
  /** Undefined: the one without a name. */
  readonly connection: string | undefined;
  /** Of the connection, given first to the factory, behind its `Broker`. */
  readonly services?: readonly Type<unknown>[];
  readonly inject?: FactoryProvider['inject'];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever is injected, as Nest's own factories have it
  readonly useFactory: (broker: Broker, ...injected: any[]) => unknown;
}

/**
 * Makes a provider that says by name which connection it misses, and which there are: Nest would tell of symbols.
 *
 * @throws ConfigurationError at start, when the application has no connection of this name
 */
export function connected({ provide, wanting, connection, services = [], inject = [], useFactory }: ConnectedProvider) {
  const [broker, ...others] = [Broker, ...services].map((service) => ({
    token: connectionToken(service, connection),
    optional: true,
  }));
  return {
    provide,
    inject: [ModulesContainer, broker!, ...others, ...inject],
    useFactory: (modules: ModulesContainer, own: Broker | undefined, ...injected: unknown[]) => {
      if (!own) throw unknownConnection(wanting, connection ?? DEFAULT_CONNECTION, namesIn(modules));
      return useFactory(own, ...injected);
    },
  } satisfies FactoryProvider;
}

/** The names of all connections, also of those that are still being made. */
function namesIn(modules: ModulesContainer): string[] {
  const tokens = [...modules.values()].flatMap(({ providers }) => [...providers.keys()]);
  return tokens.flatMap((token) =>
    token === Broker ? [DEFAULT_CONNECTION] : (/^Broker\((.+)\)$/.exec(String(token))?.[1] ?? []),
  );
}
