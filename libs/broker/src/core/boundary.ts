import type { Envelope } from '@millrace/messages';
import { Halted, Pipeline, retiredTypes } from '@millrace/transforms';
import type {
  Gather,
  OutboundTransform,
  Passage,
  Transform,
  TransformDescription,
  WaitTransform,
} from '@millrace/transforms';
import { ConfigurationError } from './errors.js';

/** Transforms by the side on which they act. */
export interface BoundaryTransforms {
  /** Applied to received messages, before handlers are looked up, in this order. */
  readonly inbound?: readonly Transform[];
  /** Applied to messages before they are written, in this order. */
  readonly outbound?: readonly OutboundTransform[];
  /**
   * Upcasts for whatever is read from streams: events that make aggregates and projections, and what is received, before
   * `inbound`.
   */
  readonly stored?: readonly Transform[];
}

/** The transforms between one service and the wire, in their declared order. */
export class Boundary {
  readonly inbound: Transform[] = [];
  readonly outbound: OutboundTransform[] = [];
  readonly history: Transform[] = [];

  /** Types of stored events that mean nothing any more. */
  retired: ReadonlySet<string> = new Set();

  private receiving: Pipeline;
  private reading = new Pipeline([]);
  private sending = new Pipeline([]);
  private keeping = new Pipeline([]);

  /** @param decryption of personal data, before whatever else looks at a received message */
  constructor(private readonly decryption?: WaitTransform) {
    this.receiving = this.inboundOf();
  }

  add({ inbound = [], outbound = [], stored = [] }: BoundaryTransforms): void {
    this.inbound.push(...inbound);
    this.outbound.push(...outbound);
    this.history.push(...stored);
    this.receiving = this.inboundOf();
    this.reading = new Pipeline(this.history);
    this.retired = retiredTypes(this.history);
    this.sending = new Pipeline(this.outbound);
    this.keeping = new Pipeline(this.outbound.filter(({ shape }) => shape === 'map'));
  }

  /** What a message goes through before handlers are looked up. */
  inboundOf(group: readonly Transform[] = []): Pipeline {
    const transforms = [...this.history, ...this.inbound, ...group];
    const { decryption } = this;
    if (!decryption) return new Pipeline(transforms);
    // Data that were left in a claim come later.
    const behind = (each: Transform): Transform[] => (each.kind === 'restore-claims' ? [each, decryption] : [each]);
    return new Pipeline([decryption, ...transforms.flatMap(behind)]);
  }

  /** Whether a transform makes messages of this type on the way in. */
  gives(type: string): boolean {
    return this.inbound.some(({ to }) => to.includes(type));
  }

  /** A stored event in the version that this service knows. */
  stored(message: Envelope): Envelope {
    return atOnce(this.reading.begin(message), this.history);
  }

  /** A message that no handler takes but who waits for it. */
  receive(message: Envelope): Envelope | undefined | Promise<Envelope | undefined> {
    const begun = this.receiving.begin(message);
    if (!(begun instanceof Halted)) return begun;
    return this.receiving
      .finish(begun, noAggregate)
      .then((passages) => passages.find(({ tapped }) => !tapped)?.message);
  }

  /** A message on its way out, as far as it comes without waiting. */
  send(message: Envelope): Envelope | Halted {
    return this.sending.begin(message);
  }

  /** The rest of its way. */
  sendOn(halted: Halted): Promise<Passage[]> {
    return this.sending.finish(halted, noAggregate);
  }

  /**
   * A message that is written as the one it is.
   *
   * @throws ConfigurationError when an outbound transform of its type does more than map
   */
  keep(message: Envelope): Envelope {
    const mapped = atOnce(this.keeping.begin(message), this.outbound);
    if (this.keeping.transforms.length === this.outbound.length) return mapped;
    const other = this.outbound.find(({ shape, from }) => shape !== 'map' && from.includes(mapped.type));
    if (!other) return mapped;
    throw new ConfigurationError(
      `'${other.name}' is outbound and cannot be applied to ${mapped.type}, which is history or set for later: what is ` +
        `written is the one message; declare it inbound where it is consumed, or publish a message of another type`,
    );
  }
}

const noAggregate: Gather = ({ name }) =>
  Promise.reject(
    new ConfigurationError(`'${name}' needs a handler: an aggregate is kept in the commit of what is handled`),
  );

function atOnce(message: Envelope | Halted, transforms: readonly TransformDescription[]): Envelope {
  if (!(message instanceof Halted)) return message;
  throw new ConfigurationError(`'${transforms[message.at]!.name}' does more than map: declare it inbound`);
}
