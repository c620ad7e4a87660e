import type { Follower } from './follower.js';
import type { Log, Partition } from './partition.js';

/** How one partition stands, at one moment. Made without a scan of the store. */
export interface PartitionFigures {
  readonly partition: Partition;
  /** `feed`, `in`, and the own log of each group that has registered. */
  readonly logs: readonly LogFigures[];
  readonly followers: readonly FollowerFigures[];
  /** Groups that expired and have not come back. */
  readonly expired: readonly { readonly log: Log; readonly group: string }[];
  /** Dead letters kept, of the groups of all services. */
  readonly deadLetters: number;
  /** The latest of them, and ms since it was given up; undefined when there is none. */
  readonly newestDeadLetter: { readonly id: string; readonly ms: number } | undefined;
  /** Timers set and not fired. */
  readonly timers: number;
}

export interface LogFigures {
  readonly log: Log;
  /** Entries stored. */
  readonly length: number;
  /** Ids of the first and last entry; undefined when there is none. */
  readonly first: string | undefined;
  readonly last: string | undefined;
}

/** How far one follower has come. */
export interface FollowerFigures {
  readonly follower: Follower;
  /** Id of the last entry it was given, or has done with. */
  readonly position: string;
  /** Entries it has not been given yet. */
  readonly lag: number;
  /** False when there are too many to be counted at bounded cost: then `lag` is the least it can be. */
  readonly lagIsExact: boolean;
  /** Entries it was given and has not acknowledged. */
  readonly pending: number;
  /** Id of the oldest of them, and ms since its last delivery. */
  readonly oldestPending: { readonly id: string; readonly ms: number } | undefined;
  /** Ms since it was seen; undefined for a group that has never read or registered. */
  readonly unseenMs: number | undefined;
  /** Owner of its lease; undefined when nobody holds one. */
  readonly holder: string | undefined;
}
