import type { GroupFollower } from './follower.js';
import type { GroupSettings } from './group-options.js';
import type { HandlerGroup } from './handler.js';
import type { Partition } from './partition.js';

/** How a process consumes, whatever the group. */
export interface ProcessSettings {
  /** Unique per process start. */
  readonly owner: string;
  /** How long one read waits for entries, ms. Default 1000. */
  readonly blockMs: number;
  /** Time to live of a lease, ms; renewed three times as often. Default 10000. */
  readonly leaseTtlMs: number;
  /**
   * How long stopping waits for handlers that run, ms. What has not settled by then stays pending: the next process gets
   * it. Default 25000, within the 30 s that Kubernetes gives.
   */
  readonly drainMs: number;
}

export type ConsumerSettings = ProcessSettings & GroupSettings;

/** What consumes the logs of one group in this process. */
export interface Consumer {
  readonly group: HandlerGroup;
  /** Addresses of the partitions that this process consumes. */
  readonly partitionsHeld: readonly string[];
  /** Its group in each log that it reads, once it has started. */
  readonly followers: readonly (readonly [Partition, GroupFollower])[];
  /** Creates the groups, so that nothing published from now on is missed, and starts to consume. */
  start(): Promise<void>;
  /** Stops reading, finishes what is being handled, and leaves to others what had not begun. */
  stop(): Promise<void>;
  /** Begins and reads nothing until it is resumed. What has begun ends. */
  pause(): void;
  resume(): void;
}
