import type { INestApplicationContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { topologyOf } from '../core/topology/topology.js';
import type { Topology } from '../core/topology/topology.js';
import { Connections } from './connections.js';
import { ConsumptionModule } from './consumption.js';
import { HandlerExplorer } from './handler-explorer.js';
import { declaredPatterns, serversOf } from './transport/declared-patterns.js';

/**
 * What an application publishes and consumes: one topology for each connection, and one for each RedisStreamsServer, with its
 * `@EventPattern` and `@MessagePattern` handlers. The application need not have been started; a server has to be known to it
 * (`createMicroservice`, `connectMicroservice`).
 *
 * @throws ConfigurationError for declarations, options and transforms that cannot work
 */
export function describe(app: Pick<INestApplicationContext, 'get'>): readonly Topology[] {
  const modules = app.get(ModulesContainer, { strict: false });
  const servers = serversOf(modules);
  const declared = servers.length > 0 ? declaredPatterns(modules) : [];
  return [...connected(app, modules), ...servers.map((server) => server.topologyOf(declared))];
}

/** An application that has the transport only has no connections. */
function connected(app: Pick<INestApplicationContext, 'get'>, modules: ModulesContainer): readonly Topology[] {
  if (![...modules.values()].some(({ metatype }) => metatype === ConsumptionModule)) return [];
  app.get(HandlerExplorer, { strict: false }).explore();
  return app.get(Connections, { strict: false }).all.map((connection) => {
    connection.subscriber.prepare();
    const { namespace } = connection.options;
    return { ...topologyOf(connection), ...(namespace === undefined ? {} : { namespace }) };
  });
}
