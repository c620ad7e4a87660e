import type { EventIndex, RestoredEvent } from './event-index.js';
import type { ArchivedRange, Expired, Follower, TrimRequest, Trimmed } from './follower.js';
import type { PartitionFigures } from './partition-figures.js';
import type { Entry, Partition, Source } from './partition.js';

/** What keeps logs as long as they are needed, and lets them be saved and restored. */
export interface LogUpkeep {
  /**
   * Remembers how far a group has come in logs of one partition, in case the server loses it: then it gets again what it
   * has acknowledged since, and misses nothing. Does nothing for a group that is lost already.
   */
  savePositions(sources: readonly Source[], group: string): Promise<void>;

  /** Registers followers, or tells that they still live. A checkpoint keeps what it has not reached from then on. */
  register(partition: Partition, followers: readonly Follower[]): Promise<void>;

  /**
   * Removes a follower that has not been seen for so long; undefined when it has, or is not there. A group leaves behind
   * where it was and what it had not finished, for {@link createGroup}.
   */
  expire(partition: Partition, follower: Follower, unseenMs: number): Promise<Expired | undefined>;

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
}
