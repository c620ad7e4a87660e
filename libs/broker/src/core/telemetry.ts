import type { HandlerDeclaration } from './handler.js';
import type { Log, Partition } from './partition.js';

/** How much a group has before it in one log. */
export interface GroupBacklog {
  readonly group: string;
  readonly partition: Partition;
  readonly log: Log;
  /** Not delivered to it yet. */
  readonly lag: number;
  /** Delivered, and not acknowledged. */
  readonly pending: number;
}

/** What a service tells when metrics are collected. */
export interface ObservedFigures {
  readonly groups: readonly GroupBacklog[];
  /** Dead letters kept, by partition: of the own context, and of those that groups of the service read. */
  readonly deadLetters: readonly { readonly partition: Partition; readonly count: number }[];
}

/**
 * Why a message came again. `takeover`: another process, or an earlier run of this one, had it and did not finish; `reconnect`: the
 * reply that brought it was lost; `retry`: its handler failed; `deferred`: its handler put it off.
 */
export type RedeliveryCause = 'takeover' | 'reconnect' | 'retry' | 'deferred';

/** Attributes of a message that carry a trace (CloudEvents distributed tracing extension). */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/**
 * The port to whoever watches a service: traces and metrics. Without one, nothing is called and nothing allocated for it.
 */
export interface Telemetry {
  /**
   * Runs what publishes or sends one message.
   *
   * @param message of which kind and type, as far as that can be told
   * @param staged whether it goes out with the commit of a handler, and not now
   */
  sending<T extends { readonly duplicate: boolean }>(
    message: { readonly type: string; readonly operation: 'publish' | 'send' },
    staged: boolean,
    work: () => Promise<T>,
  ): Promise<T>;

  /** What a message that is written now carries, if anything is being traced. */
  traceContext(): TraceContext | undefined;

  /** The handler, watched. */
  watched(handler: HandlerDeclaration, group: string): HandlerDeclaration;

  /** A message has been given up. */
  deadLettered(message: { readonly type: string | undefined; readonly group: string; readonly reason: string }): void;

  /** A message is to be handled again. */
  redelivered(message: {
    readonly type: string | undefined;
    readonly group: string;
    readonly cause: RedeliveryCause;
  }): void;

  /** A command was not handled, because its effect had been undone before. */
  superseded(message: { readonly type: string; readonly group: string }): void;

  /**
   * Asks for figures whenever metrics are collected.
   *
   * @returns ends that
   */
  observe(figures: () => Promise<ObservedFigures>): () => void;
}

/** What `new Subscriptions(context, ...)` wants to have its handlers watched; undefined without telemetry. */
export function watchedBy(
  telemetry: Telemetry | undefined,
): ((handler: HandlerDeclaration, group: string) => HandlerDeclaration) | undefined {
  return telemetry && ((handler, group) => telemetry.watched(handler, group));
}
