import type { Entry, Partition, ReplyAddress, ReplyEntry, Source } from './partition.js';

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
