import type { DeadLetter } from './commit.js';
import type { Partition } from './partition.js';

/** What could not be handled, and what it holds back. */
export interface DeadLetterStore {
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
}

/** A dead letter with its id, unique in its partition. Ids grow. */
export type KeptLetter = DeadLetter & { readonly id: string };
