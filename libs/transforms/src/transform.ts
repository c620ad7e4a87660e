import type { Envelope, MessageClass, MessageKind } from '@millrace/messages';

/** What a transform is, in the words of Enterprise Integration Patterns (Hohpe and Woolf) where they have one. */
export type TransformKind =
  | 'upcast'
  | 'downcast'
  | 'rename'
  | 'retire'
  | 'translate'
  | 'enrich'
  | 'redact'
  | 'normalize'
  | 'compress'
  | 'claim-check'
  | 'restore-claims'
  | 'decrypt'
  | 'split'
  | 'aggregate'
  | 'route'
  | 'filter'
  | 'recipient-list'
  | 'wire-tap'
  | 'routing-slip';

/** Stands in `from` and `to` for every message type. */
export const ANY_TYPE = '*';

/** What can be said of a transform without running it: for errors, and for the topology. */
export interface TransformDescription {
  readonly kind: TransformKind;
  /** What it does, unique enough for errors: `translate place-order.take-payment -> payment.authorize`. */
  readonly name: string;
  /** The message types it takes, others pass unchanged; {@link ANY_TYPE}: every one. */
  readonly from: readonly string[];
  /** The message types it gives; {@link ANY_TYPE}: the one it took. */
  readonly to: readonly string[];
  /** The schema version it takes; absent: every one. */
  readonly version?: number;
  /** The schema version it gives; absent: that of the contract. */
  readonly toVersion?: number;
  /** The routes it may choose: of handlers at the consuming side, contexts at the publishing side. */
  readonly routes?: readonly string[];
  /** The contracts of `from` and `to`, where they have a class in this service. */
  readonly contracts?: readonly MessageClass[];
}

/** A message on its way through transforms. */
export interface Passage {
  readonly message: Envelope;
  /** Chosen by a router. Inbound: the route of the handler. Outbound: the context whose inbox it goes to. */
  readonly route?: string;
  /** What its type is; absent: what the message was from which it came. */
  readonly kind?: MessageKind;
  /** It came off on the way: it is sent on, not handled. */
  readonly tapped?: true;
}

/** One message becomes another, at once: the only shape that costs no promise. */
export interface MapTransform extends TransformDescription {
  readonly shape: 'map';
  apply(message: Envelope): Envelope;
}

/** One message becomes another, after a wait. What fails is tried again. */
export interface WaitTransform extends TransformDescription {
  readonly shape: 'wait';
  /** Whether it does anything about a message; others pass without a wait. Absent: it does. */
  concerns?(message: Envelope): boolean;
  apply(message: Envelope): Promise<Envelope> | Envelope;
}

/** One message becomes any number of messages, each perhaps with a route. */
export interface ExpandTransform extends TransformDescription {
  readonly shape: 'expand';
  apply(message: Envelope): readonly Passage[];
}

/** Many messages become one. The pure half of it: where the state is kept is the broker's affair. */
export interface GatherTransform extends TransformDescription {
  readonly shape: 'gather';
  /** Messages of one correlation become one. */
  correlate(message: Envelope): string;
  /** Time after which what has come is taken for all, ms; undefined: wait for ever. */
  readonly withinMs: number | undefined;
  /** Adds a message to what has come so far. */
  add(gathered: Gathered | undefined, message: Envelope): Gathered;
  isComplete(gathered: Gathered): boolean;
  /** The combined message; undefined when what has come is worth none. */
  combine(gathered: Gathered, end: GatherEnd): Envelope | undefined;
}

/** Why an aggregate ended: all messages have come, or the time was over. */
export type GatherEnd = 'complete' | 'timeout';

/** What an aggregate keeps between two messages; JSON. */
export interface Gathered {
  /** The first message without its data: the combined one continues its correlation. */
  readonly first: Omit<Envelope, 'data'>;
  /** Ids of the messages that came, so that one published twice counts once. */
  readonly ids: readonly string[];
  readonly parts: readonly unknown[];
}

/** A step between the wire and a handler, or between a publisher and the wire. It does not know Redis or Nest. */
export type Transform = MapTransform | WaitTransform | ExpandTransform | GatherTransform;

/** What can be declared at a publisher: all but aggregates, which need the commit of what is consumed. */
export type OutboundTransform = MapTransform | WaitTransform | ExpandTransform;

/** Whether a transform takes this message. */
export function takes(transform: Transform, message: Envelope): boolean {
  const { from, version } = transform;
  if (version !== undefined && version !== (message.schemaversion ?? 1)) return false;
  if (!from.includes(message.type) && !from.includes(ANY_TYPE)) return false;
  return transform.shape !== 'wait' || !transform.concerns || transform.concerns(message);
}
