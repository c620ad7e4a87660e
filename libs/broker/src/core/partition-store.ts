import type { ClaimStore } from '@millrace/transforms';
import type { Commit, CommitResult, DeadLetter, RetryRecord } from './commit.js';
import type { Entry, EntryRef, Partition, ReplyAddress, ReplyEntry, Source } from './partition.js';
import type { ArchivedRange, Expired, Follower, GroupStart, Trimmed, TrimRequest } from './follower.js';
import type { EventIndex, RestoredEvent } from './event-index.js';
import type { PartitionFigures } from './partition-figures.js';
import type { ListedRow, RowQuery, RowRange } from './row-index.js';
import type { Timer } from './timer.js';

/**
 * The port to where partitions are kept. Two adapters: Redis and memory; one conformance suite holds for both.
 *
 * Methods reject with {@link StoreUnavailableError} when the store cannot be reached in time and nothing can have
 * happened, with {@link UnknownOutcomeError} when a write may have happened, and with {@link ConfigurationError} for a
 * name that {@link checkName} refuses: then nothing has been written.
 */
export interface PartitionStore {
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

  /**
   * Acknowledges entries about which nothing else was decided. Those acknowledged before change nothing, so it may be repeated.
   *
   * @returns for each request whether its lease still has its epoch; where not, nothing of it was acknowledged
   */
  acknowledge(requests: readonly Acknowledgement[]): Promise<readonly boolean[]>;

  /** The events of one stream, in order or backwards. Without a limit: all of them, read in several pages. */
  readStream(partition: Partition, stream: string, page?: Page): Promise<StreamSlice>;

  /** The events with a tag in the order of the feed, or backwards; `page.after` is a position. */
  readTagged(partition: Partition, tag: string, page?: Page): Promise<IndexSlice>;

  /** The events of all streams of a category in the order of the feed, or backwards; `page.after` is a position. */
  readCategory(partition: Partition, category: string, page?: Page): Promise<IndexSlice>;

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

  /** Feed entries after a position, oldest first; backwards: those before it (Infinity: from the last), newest first. */
  readFeed(partition: Partition, after: number, limit: number, backwards?: boolean): Promise<readonly Entry[]>;

  /**
   * Which streams, tags and categories a partition has, in the order of {@link compareIndexes}, up to `limit`, behind one.
   * Looks at every key of the store, in small steps: for copies and checks, not for decisions.
   */
  listIndexes(partition: Partition, limit: number, after?: EventIndex): Promise<readonly EventIndex[]>;

  /** The positions of an index from the `offset`-th (0: the first) on, up to `limit`. */
  readPositions(partition: Partition, index: EventIndex, offset: number, limit: number): Promise<readonly number[]>;

  /**
   * Puts events back at their positions, which grow, behind position `after`. All of them, or none: then the feed does not
   * end there (any more), and the answer is false.
   */
  restoreEvents(partition: Partition, after: number, events: readonly RestoredEvent[]): Promise<boolean>;

  /** Puts positions back into an index that has `offset` of them; answers false, and writes none, when it has not. */
  restorePositions(
    partition: Partition,
    index: EventIndex,
    offset: number,
    positions: readonly number[],
  ): Promise<boolean>;

  /** Last position of a feed, 0 when empty. */
  head(partition: Partition): Promise<number>;

  /**
   * Creates the group at the beginning of the log, and the log; does nothing when it exists. One that had expired, or was
   * lost, goes on where it was. Registers it as a follower in any case. Archived events are before the beginning: whoever
   * creates the group is told of them.
   */
  createGroup(source: Source, group: string): Promise<GroupStart>;

  /**
   * Remembers how far a group has come in logs of one partition, in case the server loses it: then it gets again what it
   * has acknowledged since, and misses nothing. Does nothing for a group that is lost already.
   */
  savePositions(sources: readonly Source[], group: string): Promise<void>;

  /** Registers followers, or tells that they still live. A checkpoint keeps what it has not reached from then on. */
  register(partition: Partition, followers: readonly Follower[]): Promise<void>;

  /**
   * Removes the oldest entries of a log that every follower has done with: acknowledged by every group, foreign ones too,
   * and behind every checkpoint. Events of streams stay, and so does the last event of a feed. From an inbox, or a group's
   * own log, nothing goes while no group has ever read it.
   */
  trim(source: Source, request: TrimRequest): Promise<Trimmed>;

  /** Which events trims with {@link TrimRequest.streams} have removed from a feed; undefined: none. */
  archivedRange(partition: Partition): Promise<ArchivedRange | undefined>;

  /** How the partition stands, for people and for health. Reads, counts and changes nothing. */
  survey(partition: Partition): Promise<PartitionFigures>;

  /** Entries of a log after an id (`0`: from the first), oldest first, past all groups. */
  readLog(source: Source, after: string, limit: number): Promise<readonly Entry[]>;

  /**
   * Removes a follower that has not been seen for so long; undefined when it has, or is not there. A group leaves behind
   * where it was and what it had not finished, for {@link createGroup}.
   */
  expire(partition: Partition, follower: Follower, unseenMs: number): Promise<Expired | undefined>;

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

  /**
   * The timers that are due, up to `limit` of each partition, by due time and then by id; and when the next one is due (in
   * the past when `limit` left some over), undefined when none is set. Whoever fires one commits that: {@link firing}.
   *
   * @param after only those that stand behind this one, which need not be there any more
   */
  dueTimers(
    partitions: readonly Partition[],
    now: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<{ readonly due: readonly Timer[]; readonly next: number | undefined }>;

  /** One timer, or undefined when none is set under this id. */
  readTimer(partition: Partition, id: string): Promise<Timer | undefined>;

  /**
   * Some of the timers whose ids begin with a prefix, in no particular order. Ask again with the cursor of the answer,
   * which may be an empty page, until it has none. A timer that is set all the while is listed at least once.
   *
   * @param page.limit about how many to look at
   */
  listTimers(partition: Partition, page: TimerQuery): Promise<TimerPage>;

  /**
   * Delivers the messages that commits on this partition have left for others, in order and each exactly once, whoever
   * else does so at the same time. Answers how many. Only stores have it whose commits cannot deliver by themselves.
   */
  readonly relay?: (partition: Partition) => Promise<number>;

  /** The oldest dead letters of a partition, after the one with this id if given. */
  readDeadLetters(partition: Partition, limit: number, after?: string): Promise<readonly KeptLetter[]>;

  /** One dead letter, or undefined. */
  readDeadLetter(partition: Partition, id: string): Promise<KeptLetter | undefined>;

  /** How many dead letters a partition has. */
  countDeadLetters(partition: Partition): Promise<number>;

  /** The keys whose messages are held back for a group, and what holds them: the id of a dead letter, or `redriven`. */
  readParked(partition: Partition, group: string): Promise<ReadonlyMap<string, string>>;

  /** What holds one key back for a group; undefined when nothing does. */
  readHolder(partition: Partition, group: string, key: string): Promise<string | undefined>;

  /**
   * Takes replies at this address for the next `ttlMs`; called again, for longer.
   *
   * @param readUpTo id of a reply: it and earlier ones are not needed any more
   * @returns whether it took none before: replies sent meanwhile are lost, and ids may begin anew
   */
  openReplies(address: ReplyAddress, ttlMs: number, readUpTo?: string): Promise<boolean>;

  /** Takes no more replies at this address, and forgets those that came. */
  closeReplies(address: ReplyAddress): Promise<void>;

  /**
   * Delivers a reply at once, outside of any commit. May deliver it twice after a lost answer.
   *
   * @returns false when nobody takes replies there (any more)
   */
  sendReply(address: ReplyAddress, message: string): Promise<boolean>;

  /** A reader with a connection of its own, for reads that wait. */
  openReader(): Reader;

  /** What the store is and whether it is safe to keep orders in it. */
  inspect(): Promise<StoreReport>;

  /** Finishes what is under way and disconnects. Idempotent. */
  close(): Promise<void>;
}

/** Where a timer stands in the order of a partition: by due time and then by id. */
export interface TimerPlace {
  /** ms since 1970 */
  readonly due: number;
  readonly id: string;
}

export interface TimerQuery {
  readonly prefix: string;
  readonly limit: number;
  /** Of the page before. Default: the first page. */
  readonly cursor?: string;
}

export interface TimerPage {
  readonly timers: readonly Timer[];
  readonly cursor: string | undefined;
}

/** Reads that wait for new entries. One read at a time. */
export interface Reader {
  /**
   * Delivers entries that nobody in the group has had, oldest first and up to `limit` per log; waits up to `blockMs` for
   * the first one, or not at all for 0. Creates a lost group again, as {@link PartitionStore.createGroup} does; when that
   * goes on where it was, it rejects once with {@link StoreUnavailableError}: what is pending comes first.
   *
   * @param consumer default: the one that holders of leases share
   */
  readGroup(
    group: string,
    sources: readonly Source[],
    limit: number,
    blockMs: number,
    consumer?: string,
  ): Promise<readonly Entry[]>;

  /** Feed entries after the given positions, up to `limit` per feed; waits up to `blockMs` (0: not) for the first one. */
  readFeeds(
    after: readonly { readonly partition: Partition; readonly position: number }[],
    limit: number,
    blockMs: number,
  ): Promise<readonly Entry[]>;

  /** Replies after an id (`0`: all), oldest first, up to `limit`; waits up to `blockMs` (0: not) for the first one. */
  readReplies(address: ReplyAddress, after: string, limit: number, blockMs: number): Promise<readonly ReplyEntry[]>;

  /** Ends a read that waits (it answers with nothing) and disconnects. Idempotent. */
  close(): Promise<void>;
}

/** Entries of one log that a group is done with. */
export interface Acknowledgement {
  readonly source: Source;
  readonly group: string;
  /** Epoch of the lease under which they were read; undefined: no lease is asked for. */
  readonly epoch: number | undefined;
  readonly ids: readonly string[];
}

/** A dead letter with its id, unique in its partition. Ids grow. */
export type KeptLetter = DeadLetter & { readonly id: string };

/** Which part of a list of events is read. */
export interface Page {
  /**
   * Where the page before ended: the version (of a stream) or position that the first one comes after in the direction of
   * reading. Default: the beginning, or backwards the end.
   */
  readonly after?: number;
  /** Events at most, at least 1. Default: no limit for a stream, 1000 for an index. */
  readonly limit?: number;
  /** The newest first. Default false. */
  readonly backwards?: boolean;
}

/** Events of an index that are read when no limit is given. */
export const INDEX_PAGE = 1_000;

export interface StreamSlice {
  /** Version of the whole stream. */
  readonly version: number;
  readonly entries: readonly StreamEntry[];
  /** Events of this page that are no longer in the feed, in the direction of reading. Absent: none. */
  readonly removed?: readonly { readonly version: number; readonly position: number }[];
}

export interface StreamEntry extends Entry {
  /** Its number in the stream, from 1. Not without gaps: an event that is no longer in the feed is left out. */
  readonly version: number;
}

export interface IndexSlice {
  readonly entries: readonly Entry[];
  /** Positions of this page whose events are no longer in the feed, in the direction of reading. Absent: none. */
  readonly removed?: readonly number[];
  /** `after` of the next page; undefined when nothing is left. */
  readonly next: number | undefined;
}

export interface StoredState {
  readonly revision: number;
  readonly value: string;
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

export interface StoreReport {
  /** e.g. `Redis 7.0.15`, `memory` */
  readonly server: string;
  readonly version: string;
  /** One sentence per danger, with the way out. Empty: nothing to worry about. */
  readonly warnings: readonly string[];
}
