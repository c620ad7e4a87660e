import {
  blankEnvelope,
  contextOf,
  contractOf,
  decode,
  DEFAULT_LIMITS,
  encode,
  findContract,
  keyOf,
  personalPlanOf,
  personalPlansOf,
  validateMessage,
} from '@millrace/messages';
import type {
  Envelope,
  EnvelopeInit,
  MessageClass,
  MessageKind,
  MessageLimits,
  PersonalPlan,
} from '@millrace/messages';
import { decompressed, Halted } from '@millrace/transforms';
import { Alarm } from './alarm.js';
import { Boundary } from './boundary.js';
import type { BoundaryTransforms } from './boundary.js';
import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import type { Commit, CommitResult } from './commit.js';
import { BROKER_RULES } from './broker-settings.js';
import type { BrokerSettings } from './broker-settings.js';
import { DEDUPE_WINDOW_MS } from './dedupe-window.js';
import { ConfigurationError } from './errors.js';
import { checkContext } from './keys.js';
import { checkOptionsAmong } from './options/check-options.js';
import { partitionOf } from './partition.js';
import type { Entry, Partition } from './partition.js';
import type { PartitionStore } from './partition-store.js';
import { decryption, noKeys, noKeysFor } from './personal-data/decryption.js';
import { PersonalDataProtection } from './personal-data/personal-data-protection.js';
import { RecentlyUndone } from './recently-undone.js';
import type { Telemetry } from './telemetry.js';
import { TOMBSTONE_TTL_MS } from './tombstone-ttl.js';
import { UnitOfWork } from './unit-of-work.js';

export const DEFAULT_PARTITIONS = 4;

/** A message ready to be written. */
export interface Encoded {
  readonly envelope: Envelope;
  readonly text: string;
}

/** A message that is sent, after all transforms: what it is, and where a router wants it. */
export interface OutboundMessage extends Encoded {
  readonly kind: MessageKind;
  /** The context to whose inbox a command goes; absent: the one its type names. */
  readonly route?: string;
}

export type Committing = (commit: Commit) => Promise<CommitResult>;
/** Commits by `next`, with what it has to add. */
export type CommitStage = (commit: Commit, next: Committing) => Promise<CommitResult>;

/** One service's view of the system: its context, its partitions, and how its messages are written and routed. */
export class Broker {
  readonly context: string;
  readonly partitions: number;
  readonly clock: Clock;
  readonly limits: MessageLimits;
  readonly validate: boolean;
  readonly dedupeWindowMs: number;
  readonly tombstoneTtlMs: number;
  /** Effects that this process has undone. */
  readonly undone = new RecentlyUndone();
  readonly telemetry: Telemetry | undefined;
  /** Rings in the timer loop of this process. */
  readonly alarm = new Alarm();
  /** The transforms between this service and the wire. */
  readonly boundary: Boundary;
  /** Encrypts personal data; undefined without `personalData`. */
  readonly personalData: PersonalDataProtection | undefined;

  private completing: Committing = (commit) => this.store.commit(commit);
  private finishing: Committing = (commit) => this.completing(commit);
  private readonly source: string;
  private readonly declared = new Map<string, number>();
  private readonly known: Map<string, number>;

  constructor(
    readonly store: PartitionStore,
    settings: BrokerSettings,
  ) {
    this.context = checkContext(settings.context);
    checkOptionsAmong(`service '${this.context}'`, settings, BROKER_RULES);
    const { partitions = {} } = settings;
    const table = typeof partitions === 'number' ? { [this.context]: partitions } : partitions;
    for (const [context, count] of Object.entries({ [this.context]: DEFAULT_PARTITIONS, ...table })) {
      this.declared.set(checkContext(context), checkPartitions(context, count));
    }
    this.partitions = this.declared.get(this.context)!;
    this.known = new Map(this.declared);
    this.clock = settings.clock ?? systemClock;
    this.limits = { ...DEFAULT_LIMITS, ...settings.limits };
    this.validate = settings.validate ?? true;
    this.telemetry = settings.telemetry;
    this.dedupeWindowMs = settings.dedupeWindowMs ?? DEDUPE_WINDOW_MS;
    this.tombstoneTtlMs = settings.tombstoneTtlMs ?? TOMBSTONE_TTL_MS;
    this.personalData = settings.personalData && new PersonalDataProtection(settings.personalData);
    this.boundary = new Boundary(this.personalData && decryption(this.personalData));
    this.source = `/${this.context}`;
  }

  /**
   * Creates the declared contexts in the store, or joins them.
   *
   * @throws ConfigurationError when one exists with another number of partitions, and for a wrong master key
   */
  async declare(): Promise<void> {
    await this.personalData?.check();
    for (const [context, partitions] of this.declared) {
      const actual = await this.store.declareContext(context, partitions);
      if (actual !== partitions) {
        throw new ConfigurationError(
          `context '${context}' was created with ${actual} partitions, service '${this.context}' declares ${partitions}: ` +
            `the number is fixed by whichever service uses the context first; declare ${actual}, or use another namespace`,
        );
      }
    }
  }

  /** Adds transforms at the boundary, behind those that are there. */
  addTransforms(transforms: BoundaryTransforms): void {
    this.boundary.add(transforms);
  }

  /**
   * The message of an entry as it was written, its data uncompressed.
   *
   * @throws MessageError when it is none
   */
  open({ fields, id }: Pick<Entry, 'fields' | 'id'>): Envelope {
    return decompressed(decode(fields, id, this.limits), this.limits);
  }

  /**
   * The event of an entry of the feed, in the version that this service knows. A promise only where it holds personal data.
   *
   * @throws MessageError, TransformError
   */
  openStored(entry: Pick<Entry, 'fields' | 'id'>): Envelope | Promise<Envelope> {
    const message = this.open(entry);
    if (message.personaldata === undefined) return this.boundary.stored(message);
    if (!this.personalData) throw noKeys(message.type);
    return this.personalData.open(message).then((opened) => this.boundary.stored(opened));
  }

  /**
   * A reply that a process waits for, behind the inbound transforms. A promise only where one waits; undefined when they
   * let it through no further.
   *
   * @throws MessageError, TransformError
   */
  openReply(entry: Pick<Entry, 'fields' | 'id'>): Envelope | undefined | Promise<Envelope | undefined> {
    const message = this.open(entry);
    if (message.personaldata !== undefined && !this.personalData) throw noKeys(message.type);
    return this.boundary.receive(message);
  }

  /** The transforms at the boundary, in their order. */
  get transforms(): Required<BoundaryTransforms> {
    const { inbound, outbound, history: stored } = this.boundary;
    return { inbound, outbound, stored };
  }

  /** The context whose inbox a handled command comes from: the own one, also when a transform makes it on the way in. */
  homeOf(command: string): string {
    return this.boundary.gives(command) ? this.context : contextOf(command);
  }

  /** The partition of a key in this context. */
  partitionFor(key: string): Partition {
    return { context: this.context, index: partitionOf(key, this.partitions) };
  }

  /**
   * The inbox partition that a command goes to: the context named by its type, the partition of its key. A promise only as
   * long as the number of that context's partitions is not known.
   *
   * @param route another context, chosen by a router
   */
  inboxFor(message: Envelope, route?: string): Partition | Promise<Partition> {
    const context = route ?? contextOf(message.type);
    const inbox = (partitions: number): Partition => ({ context, index: partitionOf(keyOf(message), partitions) });
    const known = this.known.get(context);
    return known === undefined ? this.partitionsOf(context).then(inbox) : inbox(known);
  }

  /** Partitions of any context; an undeclared one gets the default number. */
  async partitionsOf(context: string): Promise<number> {
    let partitions = this.known.get(context);
    if (partitions === undefined) {
      partitions = await this.store.partitionsOf(checkContext(context), DEFAULT_PARTITIONS);
      this.known.set(context, partitions);
    }
    return partitions;
  }

  /**
   * Validates a message, wraps it in an envelope and applies the outbound transforms that name its type or take all, and map.
   * Source, key, correlation and cause are filled in from the contract and from what is being handled, unless given. For what
   * the service writes to itself; events of its history are {@link encodeRecorded}, what is sent is {@link outgoing}. A
   * promise only where it holds personal data.
   *
   * @throws MessageError when it breaks its contract or the limits
   * @throws ConfigurationError when an outbound transform that names its type does more than map
   */
  encode(message: object, attributes: Partial<EnvelopeInit> = {}): Encoded | Promise<Encoded> {
    const sealed = this.seal(this.wrap(message, attributes));
    const keep = (envelope: Envelope): Encoded => this.written(this.boundary.keep(envelope));
    return sealed instanceof Promise ? sealed.then(keep) : keep(sealed);
  }

  /**
   * As {@link encode}, for an event that history keeps.
   *
   * @throws ConfigurationError also when a claim check would take its data
   */
  encodeRecorded(event: object, attributes: Partial<EnvelopeInit> = {}): Encoded | Promise<Encoded> {
    const sealed = this.seal(this.wrap(event, attributes));
    const record = (envelope: Envelope): Encoded => this.written(this.boundary.record(envelope));
    return sealed instanceof Promise ? sealed.then(record) : record(sealed);
  }

  /**
   * As {@link encode}, for what goes later, by all outbound transforms that leave it one message. What a claim check takes
   * when it is due ({@link depart}) may be as large as what comes back from a claim until then.
   *
   * @throws MessageError when it breaks its contract or the limits
   * @throws ConfigurationError when an outbound transform of its type filters, multiplies or routes it
   */
  async encodeScheduled(message: object, attributes: Partial<EnvelopeInit> = {}): Promise<Encoded> {
    return this.written(await this.boundary.schedule(await this.seal(this.wrap(message, attributes))), true);
  }

  /**
   * The text of a scheduled message that is due, as it goes: large data are left in a claim, whose time begins now. A promise
   * only where there are claim checks.
   *
   * @throws MessageError when it is larger than a message may be
   * @throws TransformError when the claim store does not take it
   */
  depart(text: string): string | Promise<string> {
    if (!this.boundary.hasClaims) return text;
    return this.boundary.depart(JSON.parse(text) as Envelope).then((departed) => encode(departed, this.limits));
  }

  /**
   * As {@link encode}, with all outbound transforms: one message becomes any number. A promise only where one waits,
   * multiplies or routes, or it holds personal data.
   */
  outgoing(
    message: object,
    attributes: Partial<EnvelopeInit> = {},
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    return this.pass(this.wrap(message, attributes), contractOf(message).kind);
  }

  /**
   * The outbound transforms for a message that is wrapped already.
   *
   * @param later it goes when it is due: claim checks have to wait until then
   */
  pass(
    wrapped: Envelope,
    kind: MessageKind,
    later = false,
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    const sealed = this.seal(wrapped);
    return sealed instanceof Promise
      ? sealed.then((each) => this.passOn(each, kind, later))
      : this.passOn(sealed, kind, later);
  }

  /**
   * A message as it may leave the process, its personal data encrypted. A promise only when it has some.
   *
   * @throws ConfigurationError when there are no keys to do so
   */
  seal(message: Envelope): Envelope | Promise<Envelope> {
    const plans = personalPlans(message);
    if (plans.length === 0) return message;
    if (!this.personalData) throw noKeysFor(message.type, this.context);
    return this.personalData.seal(message, plans);
  }

  private passOn(
    wrapped: Envelope,
    kind: MessageKind,
    later: boolean,
  ): readonly OutboundMessage[] | Promise<readonly OutboundMessage[]> {
    const begun = this.boundary.send(wrapped, later);
    // Spelled out: spreading what `written` gives takes V8 longer than all else between here and the commit.
    if (!(begun instanceof Halted))
      return [{ envelope: begun, text: encode(begun, this.limitsOf(begun, later)), kind }];
    return this.boundary.sendOn(begun, later).then((passages) =>
      passages.map(({ message, kind: other = kind, route }) => ({
        ...this.written(message, later),
        kind: other,
        ...(route === undefined ? {} : { route }),
      })),
    );
  }

  private written(complete: Envelope, later = false): Encoded {
    return { envelope: complete, text: encode(complete, this.limitsOf(complete, later)) };
  }

  private limitsOf(message: Envelope, later: boolean): MessageLimits {
    if (!later || !this.boundary.claimsOf(message)) return this.limits;
    return { ...this.limits, maxBytes: this.limits.maxRestoredBytes ?? DEFAULT_LIMITS.maxRestoredBytes };
  }

  /**
   * A message in its envelope, before outbound transforms.
   *
   * @throws MessageError when it breaks its contract
   */
  wrap(message: object, attributes?: Partial<EnvelopeInit>): Envelope {
    const contract = contractOf(message);
    if (this.validate) validateMessage(message);
    const cause = UnitOfWork.current()?.message;
    const wrapped = blankEnvelope(this.source, contract.type, this.clock.now(), attributes?.id);
    const key = contract.key === undefined ? undefined : (message as Record<string, unknown>)[contract.key];
    if (key !== undefined) wrapped.partitionkey = String(key);
    if (cause) {
      wrapped.correlationid = cause.correlationid ?? cause.id;
      wrapped.causationid = cause.id;
      if (cause.actor !== undefined) wrapped.actor = cause.actor;
    }
    if (contract.version > 1) wrapped.schemaversion = contract.version;
    if (contract.kind === 'reply') wrapped.outcome = contract.failure ? 'failure' : 'success';
    if (this.telemetry) Object.assign(wrapped, this.telemetry.traceContext());
    if (attributes !== undefined) Object.assign(wrapped, attributes);
    wrapped.data = message;
    return wrapped as Envelope;
  }

  /** One atomic act on a partition. */
  commit(commit: Commit): Promise<CommitResult> {
    return this.finishing(commit);
  }

  /**
   * Lets every commit pass a stage that adds to it, e.g. the rows of a view beside the events that they are made of. What
   * the stage's own guards refuse, the stage deals with.
   */
  complete(stage: CommitStage): void {
    const next = this.completing;
    this.completing = (commit) => stage(commit, next);
  }

  /** As {@link complete}, before all those stages: they see the events as they will be stored. */
  finish(stage: CommitStage): void {
    const next = this.finishing;
    this.finishing = (commit) => stage(commit, next);
  }
}

/** Of an instance its class says where personal data are; of other data, the classes of the type. */
function personalPlans({ type, data }: Envelope): readonly PersonalPlan[] {
  const contract = typeof data === 'object' && data !== null ? data.constructor : undefined;
  const own = contract && findContract(contract as MessageClass);
  if (own?.type !== type) return personalPlansOf(type);
  const plan = personalPlanOf(contract);
  return plan ? [plan] : NONE;
}

const NONE: readonly PersonalPlan[] = [];

function checkPartitions(context: string, partitions: number): number {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1024) {
    throw new ConfigurationError(
      `context '${context}' has partitions: ${partitions}; it must be an integer from 1 to 1024`,
    );
  }
  return partitions;
}
