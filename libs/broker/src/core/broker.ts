import { contextOf, decode, DEFAULT_LIMITS, keyOf } from '@millrace/messages';
import type { Envelope, MessageLimits } from '@millrace/messages';
import { decompressed } from '@millrace/transforms';
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
import { MessageWriter } from './message-writer.js';
import type { PartitionStore } from './partition-store.js';
import { decryption, noKeys } from './personal-data/decryption.js';
import { PersonalDataProtection } from './personal-data/personal-data-protection.js';
import { RecentlyUndone } from './recently-undone.js';
import type { Telemetry } from './telemetry.js';
import { TOMBSTONE_TTL_MS } from './tombstone-ttl.js';

export const DEFAULT_PARTITIONS = 4;

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
  /** Makes what this service writes. */
  readonly messages: MessageWriter;
  /** Encrypts personal data; undefined without `personalData`. */
  readonly personalData: PersonalDataProtection | undefined;

  private completing: Committing = (commit) => this.store.commit(commit);
  private finishing: Committing = (commit) => this.completing(commit);
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
    this.messages = new MessageWriter(this);
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

function checkPartitions(context: string, partitions: number): number {
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1024) {
    throw new ConfigurationError(
      `context '${context}' has partitions: ${partitions}; it must be an integer from 1 to 1024`,
    );
  }
  return partitions;
}
