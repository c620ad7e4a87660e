import type { PartitionFigures } from './partition-figures.js';
import type { HeldBack } from './retention.js';

/** What a service can tell of itself and of what it reads, at one moment. */
export interface BrokerFigures {
  readonly context: string;
  /** What the store is, e.g. `Redis 7.0.15`. */
  readonly server: string;
  /** The partitions of the own context, with all followers, of this service or not. */
  readonly own: readonly PartitionFigures[];
  /** The partitions of other contexts that this service reads, with its own groups only; dead letters are those of all. */
  readonly others: readonly PartitionFigures[];
  /** Where retention cannot do what its rules say, as far as this process does it. */
  readonly heldBack: readonly HeldBack[];
}
