import { contextOf, contractOf, DEFAULT_LIMITS, encode, envelope, keyOf, validateMessage } from '@millrace/messages';
import type { Envelope, EnvelopeInit, MessageLimits } from '@millrace/messages';
import { pipeline } from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import { Alarm } from './alarm.js';
import { systemClock } from './clock.js';
import type { Clock } from './clock.js';
import type { Commit, CommitResult } from './commit.js';
import { checkWindow, DEDUPE_WINDOW_MS } from './dedupe-window.js';
import { ConfigurationError } from './errors.js';
import { checkContext } from './keys.js';
import { partitionOf } from './partition.js';
import type { Partition } from './partition.js';
import type { PartitionStore } from './partition-store.js';
import { UnitOfWork } from './unit-of-work.js';

export interface BrokerSettings {
  /** The context of this service. */
  readonly context: string;
  /**
   * Partitions of this context, default 4; or of all contexts that talk to each other, by name. The number is fixed when a
   * context is first used, by whichever service that is: where one differs from the default, give all services the same table.
   */
  readonly partitions?: number | Readonly<Record<string, number>>;
  readonly clock?: Clock;
  readonly limits?: Partial<MessageLimits>;
  /** How long the ids of published messages are remembered, ms: `publisher.publish(event, { id })`. Default: a day. */
  readonly dedupeWindowMs?: number;
  /** Check messages with class-validator when publishing and receiving. Default true. */
  readonly validate?: boolean;
}

export const DEFAULT_PARTITIONS = 4;

/** A message ready to be written. */
export interface Encoded {
  readonly envelope: Envelope;
  readonly text: string;
}

/** One service's view of the system: its context, its partitions, and how its messages are written and routed. */
export class Broker {
  readonly context: string;
  readonly partitions: number;
  readonly clock: Clock;
  readonly limits: MessageLimits;
  readonly validate: boolean;
  readonly dedupeWindowMs: number;
  /** Rings in the timer loop of this process. */
  readonly alarm = new Alarm();

  private readonly source: string;
  private readonly declared = new Map<string, number>();
  private readonly known: Map<string, number>;
  private readonly inboundTransforms: Transform[] = [];
  private readonly outboundTransforms: Transform[] = [];
  private outbound = pipeline([]);
  private inbound = pipeline([]);

  constructor(
    readonly store: PartitionStore,
    settings: BrokerSettings,
  ) {
    this.context = checkContext(settings.context);
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
    this.dedupeWindowMs = checkWindow(settings.dedupeWindowMs ?? DEDUPE_WINDOW_MS);
    this.source = `/${this.context}`;
  }

  /**
   * Creates the declared contexts in the store, or joins them.
   *
   * @throws ConfigurationError when one exists with another number of partitions
   */
  async declare(): Promise<void> {
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

  /** Adds transforms at the boundary: inbound before handlers, outbound before the wire, in this order. */
  addTransforms(inbound: readonly Transform[] = [], outbound: readonly Transform[] = []): void {
    this.inboundTransforms.push(...inbound);
    this.outboundTransforms.push(...outbound);
    this.inbound = pipeline(this.inboundTransforms);
    this.outbound = pipeline(this.outboundTransforms);
  }

  /** The transforms at the boundary, in their order. */
  get transforms(): { readonly inbound: readonly Transform[]; readonly outbound: readonly Transform[] } {
    return { inbound: this.inboundTransforms, outbound: this.outboundTransforms };
  }

  /** The inbound transforms applied to a received message. */
  receive(message: Envelope): Envelope {
    return this.inbound(message);
  }

  /** The context whose inbox a handled command comes from: the own one, also when a transform makes it on the way in. */
  homeOf(command: string): string {
    const made = this.inboundTransforms.some((transform) => transform.to.includes(command));
    return made ? this.context : contextOf(command);
  }

  /** The partition of a key in this context. */
  partitionFor(key: string): Partition {
    return { context: this.context, index: partitionOf(key, this.partitions) };
  }

  /** The inbox partition that a command goes to: the context named by its type, the partition of its key. */
  async inboxFor(message: Envelope): Promise<Partition> {
    const context = contextOf(message.type);
    const partitions = this.known.get(context) ?? (await this.partitionsOf(context));
    return { context, index: partitionOf(keyOf(message), partitions) };
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
   * Validates a message, wraps it in an envelope and applies the outbound transforms. Source, key, correlation and
   * cause are filled in from the contract and from what is being handled, unless given.
   *
   * @throws MessageError when it breaks its contract or the limits
   */
  encode(message: object, attributes: Partial<EnvelopeInit> = {}): Encoded {
    const contract = contractOf(message);
    if (this.validate) validateMessage(message);
    const cause = UnitOfWork.current()?.message;
    const init: Record<string, unknown> = { source: this.source, type: contract.type };
    const key = contract.key === undefined ? undefined : (message as Record<string, unknown>)[contract.key];
    if (key !== undefined) init['partitionkey'] = String(key);
    if (cause) {
      init['correlationid'] = cause.correlationid ?? cause.id;
      init['causationid'] = cause.id;
    }
    if (contract.version > 1) init['schemaversion'] = contract.version;
    if (contract.kind === 'reply') init['outcome'] = contract.failure ? 'failure' : 'success';
    Object.assign(init, attributes);
    init['data'] = message;
    const complete = this.outbound(envelope(init as unknown as EnvelopeInit, this.clock.now()));
    return { envelope: complete, text: encode(complete, this.limits) };
  }

  /** One atomic act on a partition. */
  commit(commit: Commit): Promise<CommitResult> {
    return this.store.commit(commit);
  }
}

function checkPartitions(context: string, partitions: number): number {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1024) {
    throw new ConfigurationError(
      `context '${context}' has partitions: ${partitions}; it must be an integer from 1 to 1024`,
    );
  }
  return partitions;
}
