import { DEFAULT_PARTITIONS } from '../../core/broker.js';
import type { LogName, Receives, Topology } from '../../core/topology/topology.js';
import { DEFAULT_CONTEXT } from './bus.js';
import type { BusOptions } from './bus.js';
import { PatternHandlers } from './pattern-handlers.js';

/** A method with `@EventPattern` or `@MessagePattern`, once for each of its patterns. */
export interface DeclaredPattern {
  /** `BillingController.tax`. */
  readonly name: string;
  /** As it is written. */
  readonly pattern: unknown;
  readonly isEventHandler: boolean;
  readonly extras: Record<string, unknown>;
  /** The transport that it is for; undefined: every one. */
  readonly transport: unknown;
}

/** Name of the group of an event handler within the bus. @param own what the handler says beside it */
export function eventsOf(group: string, own: string | undefined): string {
  return own === undefined ? group : `${group}.${own}`;
}

/** Name of the group that consumes the requests, within the bus. */
export function requestsOf(group: string): string {
  return `${group}:requests`;
}

/**
 * Handlers of a server as a topology: events from the feed of its bus, requests from the inbox.
 *
 * @param declared with their normalized patterns
 * @throws ConfigurationError when two event handlers of one pattern have the same group
 */
export function topologyOfPatterns(
  {
    group,
    context = DEFAULT_CONTEXT,
    partitions = DEFAULT_PARTITIONS,
    namespace,
  }: Pick<BusOptions, 'context' | 'partitions' | 'namespace'> & { readonly group: string },
  declared: readonly (DeclaredPattern & { readonly route: string })[],
): Topology {
  const row = (pattern: 'event' | 'request', type: string, by: string, within: string): Receives => {
    const from: LogName = { context, log: pattern === 'event' ? 'feed' : 'in' };
    return { from, message: { type }, passes: [], type, by, group: `${context}.${within}`, replies: [], pattern };
  };
  const patterns = new PatternHandlers<DeclaredPattern>();
  for (const each of declared) patterns.add(each.route, each);
  const events = patterns
    .forEvents()
    .flatMap(({ route, byGroup }) =>
      [...byGroup]
        .filter(([, { isEventHandler }]) => isEventHandler)
        .map(([own, { name }]) => row('event', route, name, eventsOf(group, own))),
    );
  const requests = [...patterns.routes].flatMap((route) => {
    const handler = patterns.forRequest(route)!;
    return handler.isEventHandler ? [] : [row('request', route, handler.name, requestsOf(group))];
  });
  return {
    connection: `transport ${group}`,
    context,
    partitions,
    ...(namespace === undefined ? {} : { namespace }),
    sends: [],
    receives: [...events, ...requests],
    drawings: [],
  };
}
