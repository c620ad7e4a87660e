import { RedisStreamsClient, RedisStreamsServer } from '@millrace/broker';
import type { RedisStreamsClientOptions, RedisStreamsServerOptions } from '@millrace/broker';
import type { INestMicroservice, Type } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import getPort from 'get-port';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

/** A service that listens, and how its clients reach it. */
export interface Site {
  readonly options: MicroserviceOptions;
  client(): ClientProxy;
}

/** The lines of an application that say which transport it has. */
export interface TransportUnderTest {
  readonly name: string;
  site(): Promise<Site>;
}

const { hostname: host, port } = new URL(redisUrl());
const redis = { host, port: Number(port), retryAttempts: 5, retryDelay: 50 };

export const NEST_TCP: TransportUnderTest = {
  name: "Nest's TCP",
  site: async () => {
    const options = { host: '127.0.0.1', port: await getPort() };
    return {
      options: { transport: Transport.TCP, options },
      client: () => ClientProxyFactory.create({ transport: Transport.TCP, options }),
    };
  },
};

export const NEST_REDIS: TransportUnderTest = {
  name: "Nest's Redis",
  site: async () => ({
    options: { transport: Transport.REDIS, options: redis },
    client: () => ClientProxyFactory.create({ transport: Transport.REDIS, options: redis }),
  }),
};

export const REDIS_STREAMS_TRANSPORT: TransportUnderTest = {
  name: 'Redis Streams',
  site: async () => streamsSite(),
};

export const TRANSPORTS = [NEST_TCP, NEST_REDIS, REDIS_STREAMS_TRANSPORT];

/** A bus of its own. */
export function streamsSite(
  serverOptions: Partial<RedisStreamsServerOptions> = {},
  clientOptions: RedisStreamsClientOptions = {},
): Site & { readonly namespace: string; server(more?: Partial<RedisStreamsServerOptions>): RedisStreamsServer } {
  const namespace = serverOptions.namespace ?? freshNamespace();
  const bus = { url: redisUrl(), namespace };
  const server = (more: Partial<RedisStreamsServerOptions> = {}) =>
    new RedisStreamsServer({
      ...bus,
      group: 'service',
      blockMs: 100,
      retry: { delayMs: 5 },
      unknownRequests: 'refuse',
      ...serverOptions,
      ...more,
    });
  return {
    namespace,
    server,
    options: { strategy: server() },
    client: () => ClientProxyFactory.create({ customClass: RedisStreamsClient, options: { ...bus, ...clientOptions } }),
  };
}

/** Starts a service with these controllers. Closed when the test has finished. */
export async function serve(
  options: MicroserviceOptions,
  controllers: Type[],
  prepare: (app: INestMicroservice) => void = () => undefined,
  providers: Type[] = [],
): Promise<INestMicroservice> {
  const module = await Test.createTestingModule({ controllers, providers }).compile();
  const app = module.createNestMicroservice<MicroserviceOptions>({ ...options, logger: false } as never);
  prepare(app);
  onTestFinished(() => app.close());
  await app.listen();
  return app;
}

/** A connected client. Closed when the test has finished. */
export async function connected(site: Site): Promise<ClientProxy> {
  const client = site.client();
  onTestFinished(async () => void (await client.close()));
  await client.connect();
  return client;
}
