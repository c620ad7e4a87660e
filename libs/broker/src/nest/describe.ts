import type { INestApplicationContext } from '@nestjs/common';
import { topologyOf } from '../core/topology/topology.js';
import type { Topology } from '../core/topology/topology.js';
import { Connections } from './connections.js';
import { HandlerExplorer } from './handler-explorer.js';

/**
 * What an application publishes and consumes, one topology for each connection. The application need not have been
 * started.
 *
 * @throws ConfigurationError for declarations, options and transforms that cannot work
 */
export function describe(app: Pick<INestApplicationContext, 'get'>): readonly Topology[] {
  app.get(HandlerExplorer, { strict: false }).explore();
  return app.get(Connections, { strict: false }).all.map((connection) => {
    connection.subscriber.prepare();
    return topologyOf(connection);
  });
}
