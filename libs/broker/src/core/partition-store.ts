import type { ClaimStore } from '@millrace/transforms';
import type { Commit, CommitResult } from './commit.js';
import type { DeadLetterStore } from './dead-letter-store.js';
import type { EventReads } from './event-reads.js';
import type { GroupStore } from './group-store.js';
import type { LogUpkeep } from './log-upkeep.js';
import type { Partition } from './partition.js';
import type { Reader } from './reader.js';
import type { ReplyStore } from './reply-store.js';
import type { ListedRow, RowQuery, RowRange } from './row-index.js';
import type { TimerStore } from './timer-store.js';

/**
 * The port to where partitions are kept. Two adapters: Redis and memory; one conformance suite holds for both.
 *
 * Methods reject with {@link StoreUnavailableError} when the store cannot be reached in time and nothing can have
 * happened, with {@link UnknownOutcomeError} when a write may have happened, and with {@link ConfigurationError} for a
 * name that {@link checkName} refuses: then nothing has been written.
 */
export interface PartitionStore extends EventReads, GroupStore, LogUpkeep, TimerStore, DeadLetterStore, ReplyStore {
  /** Where claim checks may leave large data: in the same place, but in no stream. */
  readonly claims: ClaimStore;

  /**
   * The number of partitions of a context. A context that nobody has declared yet is created with `fallback`.
   */
  partitionsOf(context: string, fallback: number): Promise<number>;

  /**
   * Declares a context with its number of partitions, fixed from then on.
   *
   * @returns the number it has, which differs from the asked one when it was created before
   */
  declareContext(context: string, partitions: number): Promise<number>;

  /** The number of partitions of a context; undefined when nobody has declared it. */
  findContext(context: string): Promise<number | undefined>;

  /** Guards first, then all writes, or nothing. A repeatable commit is repeated by the adapter after a lost reply. */
  commit(commit: Commit): Promise<CommitResult>;

  /** One state with its revision, or undefined. */
  readState(partition: Partition, state: string): Promise<StoredState | undefined>;

  /** One row of a view in one partition. */
  readRow(partition: Partition, view: string, id: string): Promise<string | undefined>;

  /** All rows of a view in one partition, in no particular order. */
  readRows(partition: Partition, view: string): Promise<ReadonlyMap<string, string>>;

  /** One page of the rows that an index of a view lists in one partition. As costly as the page is long. */
  listRows(partition: Partition, view: string, query: RowQuery): Promise<readonly ListedRow[]>;

  /** How many rows an index of a view lists in a range, in one partition. As cheap for many as for few. */
  countRows(partition: Partition, view: string, range: RowRange): Promise<number>;

  /** The result a command id was committed with, while it is remembered. */
  readCommand(partition: Partition, id: string): Promise<string | undefined>;

  /** Who undid an effect, while it is remembered. */
  readTombstone(partition: Partition, effect: string): Promise<string | undefined>;

  /**
   * Delivers the messages that commits on this partition have left for others, in order and each exactly once, whoever
   * else does so at the same time. Answers how many. Only stores have it whose commits cannot deliver by themselves.
   */
  readonly relay?: (partition: Partition) => Promise<number>;

  /** A reader with a connection of its own, for reads that wait. */
  openReader(): Reader;

  /** What the store is and whether it is safe to keep orders in it. */
  inspect(): Promise<StoreReport>;

  /** Finishes what is under way and disconnects. Idempotent. */
  close(): Promise<void>;
}

export interface StoredState {
  readonly revision: number;
  readonly value: string;
}

export interface StoreReport {
  /** e.g. `Redis 7.0.15`, `memory` */
  readonly server: string;
  readonly version: string;
  /** One sentence per danger, with the way out. Empty: nothing to worry about. */
  readonly warnings: readonly string[];
}
