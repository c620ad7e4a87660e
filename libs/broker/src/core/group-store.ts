import type { RetryRecord } from './commit.js';
import type { GroupStart } from './follower.js';
import type { Entry, EntryRef, Partition, Source } from './partition.js';

/** Groups that consume logs: who may do so, what is under way, and what was left behind. */
export interface GroupStore {
  /**
   * Creates the group at the beginning of the log, and the log; does nothing when it exists. One that had expired, or was
   * lost, goes on where it was. Registers it as a follower in any case. Archived events are before the beginning: whoever
   * creates the group is told of them.
   */
  createGroup(source: Source, group: string): Promise<GroupStart>;

  /**
   * Acknowledges entries about which nothing else was decided. Those acknowledged before change nothing, so it may be repeated.
   *
   * @returns for each request whether its lease still has its epoch; where not, nothing of it was acknowledged
   */
  acknowledge(requests: readonly Acknowledgement[]): Promise<readonly boolean[]>;

  /**
   * Takes the right to consume a partition for a group, or keeps it.
   *
   * A lease is free when nobody has it, when it has expired, or when its holder is known to be dead. Taking it over
   * counts its epoch up, so that the former holder's commits are refused; renewing keeps the epoch, even of an expired
   * lease that nobody else has taken. The first epoch is 1, and none is given twice.
   */
  acquireLease(request: LeaseRequest): Promise<LeaseAnswer>;

  /** Gives a lease back, so that the next one need not wait; does nothing when it is no longer this epoch's. */
  releaseLease(partition: Partition, group: string, epoch: number): Promise<void>;

  /**
   * Says that a process takes part in consuming for a group, and answers who does, each once, sorted.
   *
   * A process takes part until it leaves, until its time to live has passed, or until it is known to be dead.
   */
  attend(request: LeaseRequest): Promise<readonly string[]>;

  /** Ends taking part; does nothing for who does not. */
  leave(partition: Partition, group: string, owner: string): Promise<void>;

  /**
   * Entries of a group delivered to a consumer and unacknowledged, after an entry id (`0`: all), in order; counts one more
   * delivery for each. A group that does not exist has none.
   *
   * @param consumer default: the one that holders of leases share
   */
  readPending(
    source: Source,
    group: string,
    after: string,
    limit: number,
    consumer?: string,
  ): Promise<readonly PendingEntry[]>;

  /**
   * Makes pending entries a consumer's own that nobody has been given, or has extended, for so long; looks at a limited
   * number and says where to look next. Counts one more delivery for each. (XAUTOCLAIM)
   */
  claimIdle(request: ClaimRequest): Promise<Claimed>;

  /** Says that a consumer still works on these entries; those that are not its own any more stay as they are. (XCLAIM) */
  extend(source: Source, group: string, consumer: string, ids: readonly string[]): Promise<void>;

  /**
   * Forgets competing consumers that have not read for so long. One with pending entries is never forgotten: they would be
   * lost.
   *
   * @returns the names of those that are forgotten
   */
  reapConsumers(source: Source, group: string, idleMs: number): Promise<readonly string[]>;

  /** One entry; undefined when it is not there, or not any more. */
  readEntry(entry: EntryRef): Promise<Entry | undefined>;

  /** Ids of delivered but unacknowledged entries of a group after an entry id (`0`: all), in order; counts no delivery. */
  pendingIds(source: Source, group: string, after: string, limit: number): Promise<readonly string[]>;

  /**
   * How many entries are delivered and unacknowledged, and how many not yet delivered: all of the log for a group that
   * does not exist.
   */
  backlog(source: Source, group: string): Promise<Backlog>;
}

/** Entries of one log that a group is done with. */
export interface Acknowledgement {
  readonly source: Source;
  readonly group: string;
  /** Epoch of the lease under which they were read; undefined: no lease is asked for. */
  readonly epoch: number | undefined;
  readonly ids: readonly string[];
}

export interface LeaseRequest {
  /** What the lease is for, or where the list of those who attend is kept. */
  readonly partition: Partition;
  readonly group: string;
  /** Unique per process start. */
  readonly owner: string;
  readonly ttlMs: number;
}

export type LeaseAnswer =
  | { readonly held: true; readonly epoch: number }
  | { readonly held: false; readonly owner: string; readonly remainingMs: number };

export interface PendingEntry extends Entry {
  /** How often it has been delivered, this time included. */
  readonly deliveries: number;
  readonly retry: RetryRecord | undefined;
}

export interface ClaimRequest {
  readonly source: Source;
  readonly group: string;
  readonly consumer: string;
  readonly idleMs: number;
  /** Where to look from: `0-0`, or the cursor of the last answer. */
  readonly cursor: string;
  /** Entries at most. */
  readonly limit: number;
}

export interface Claimed {
  /** Where to look next; `0-0` when all has been looked at. */
  readonly cursor: string;
  readonly entries: readonly PendingEntry[];
}

export interface Backlog {
  readonly pending: number;
  readonly waiting: number;
}
