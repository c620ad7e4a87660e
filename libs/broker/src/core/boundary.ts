import type { Envelope } from '@millrace/messages';
import { ANY_TYPE, Halted, Pipeline, retiredTypes, takes } from '@millrace/transforms';
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
  /** For what the service writes to itself. */
  private keeping = new Pipeline([]);
  /** For what goes later: claims wait until it does. */
  private parting = new Pipeline([]);
  private departing = new Pipeline([]);
  private readonly claims: OutboundTransform[] = [];

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
    this.keeping = new Pipeline(
      this.outbound.filter(({ shape, from }) => shape !== 'wait' || !from.includes(ANY_TYPE)),
    );
    this.parting = new Pipeline(this.outbound.filter((transform) => !isClaim(transform)));
    this.claims.push(...outbound.filter(isClaim));
    this.departing = new Pipeline(this.claims);
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

  /**
   * A message on its way out, as far as it comes without waiting.
   *
   * @param later it goes when it is due: without the claim checks, which {@link depart} makes then
   */
  send(message: Envelope, later = false): Envelope | Halted {
    return (later ? this.parting : this.sending).begin(message);
  }

  /** The rest of its way. */
  sendOn(halted: Halted, later = false): Promise<Passage[]> {
    return (later ? this.parting : this.sending).finish(halted, noAggregate);
  }

  /**
   * A message that stays in this context: by the transforms that name its type and map.
   *
   * @throws ConfigurationError when an outbound transform that names its type does more than map
   */
  keep(message: Envelope): Envelope {
    const mapped = this.keeping.begin(message);
    if (!(mapped instanceof Halted)) return mapped;
    throw refused(this.keeping.transforms[mapped.at]!, mapped.message, 'which stays where it is written');
  }

  /**
   * An event as history has it.
   *
   * @throws ConfigurationError when an outbound transform would do more to it than map: a claim expires, history does not
   */
  record(message: Envelope): Envelope {
    const kept = this.keep(message);
    const claim = this.claims.find((transform) => takes(transform, kept));
    if (claim) throw new ConfigurationError(claimOfHistory(claim, kept.type));
    return kept;
  }

  /**
   * A message that is written now and goes when it is due: by all transforms that leave it one message, but the claim checks.
   *
   * @throws ConfigurationError when an outbound transform of its type filters, multiplies or routes it
   */
  schedule(message: Envelope): Envelope | Promise<Envelope> {
    const one = (passed: Envelope | Halted): Envelope => {
      if (!(passed instanceof Halted)) return passed;
      throw refused(this.parting.transforms[passed.at]!, passed.message, 'which is scheduled as the one message it is');
    };
    const begun = this.parting.begin(message);
    return begun instanceof Halted ? this.parting.asOne(begun).then(one) : one(begun);
  }

  /** Whether a message that is due may leave data in a claim. */
  get hasClaims(): boolean {
    return this.claims.length > 0;
  }

  /** Whether this one does. */
  claimsOf(message: Envelope): boolean {
    return this.departing.begin(message) instanceof Halted;
  }

  /** A message that is due, its data left in a claim where they are large. */
  async depart(message: Envelope): Promise<Envelope> {
    const begun = this.departing.begin(message);
    const departed = begun instanceof Halted ? await this.departing.asOne(begun) : begun;
    return departed as Envelope;
  }
}

function isClaim({ kind }: OutboundTransform): boolean {
  return kind === 'claim-check';
}

function refused({ name }: TransformDescription, { type }: Envelope, what: string): ConfigurationError {
  return new ConfigurationError(
    `'${name}' is outbound and cannot be applied to ${type}, ${what}: declare it inbound where the message is consumed, ` +
      `or publish a message of another type`,
  );
}

/** Why a claim check cannot take an event that history has. */
export function claimOfHistory({ name }: TransformDescription, type: string): string {
  return (
    `'${name}' is outbound and would leave data of ${type}, which is read from history, in a store that forgets them: say which ` +
    `messages it is for, claimCheck(store, { of: [...] })`
  );
}

const noAggregate: Gather = ({ name }) =>
  Promise.reject(
    new ConfigurationError(`'${name}' needs a handler: an aggregate is kept in the commit of what is handled`),
  );

function atOnce(message: Envelope | Halted, transforms: readonly TransformDescription[]): Envelope {
  if (!(message instanceof Halted)) return message;
  throw new ConfigurationError(`'${transforms[message.at]!.name}' does more than map: declare it inbound`);
}
