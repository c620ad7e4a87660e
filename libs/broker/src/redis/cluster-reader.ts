import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import type { Entry, Partition, ReplyAddress, ReplyEntry, Source } from '../core/partition.js';
import type { Reader } from '../core/reader.js';
import type { ClusterConnection } from './cluster-connection.js';
import { PartitionReader } from './partition-reader.js';

/** Between two attempts to wake reads that had not begun to wait, ms. */
const WAKE_AGAIN_MS = 2;

/**
 * Reads from the partitions of a Redis Cluster. One command reads one slot, so every partition has a reader of its own.
 * When one of them has something, the others are woken and what they have is taken along: nothing is under way
 * between two reads, as with one server.
 */
export class ClusterReader implements Reader {
  private readonly readers = new Map<string, PartitionReader>();
  private closed = false;

  constructor(
    private readonly connection: ClusterConnection,
    private readonly keys: KeyBuilder,
  ) {}

  async readGroup(
    group: string,
    sources: readonly Source[],
    limit: number,
    blockMs: number,
    consumer?: string,
  ): Promise<readonly Entry[]> {
    const parts = byPartition(sources, ({ partition }) => partition);
    return this.first(parts, blockMs, (reader, some, ms) => reader.readGroup(group, some, limit, ms, consumer));
  }

  async readFeeds(
    after: readonly { readonly partition: Partition; readonly position: number }[],
    limit: number,
    blockMs: number,
  ): Promise<readonly Entry[]> {
    const parts = byPartition(after, ({ partition }) => partition);
    return this.first(parts, blockMs, (reader, some, ms) => reader.readFeeds(some, limit, ms));
  }

  async readReplies(
    address: ReplyAddress,
    after: string,
    limit: number,
    blockMs: number,
  ): Promise<readonly ReplyEntry[]> {
    return this.reader(address.partition).readReplies(address, after, limit, blockMs);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const reader of this.readers.values()) await reader.close();
  }

  /** What all partitions have; where that is nothing, what comes while the first of them waits. */
  private async first<S, E>(
    parts: readonly (readonly [Partition, readonly S[]])[],
    blockMs: number,
    read: (reader: PartitionReader, some: readonly S[], blockMs: number) => Promise<readonly E[]>,
  ): Promise<readonly E[]> {
    if (this.closed) return [];
    const readers = parts.map(([partition, some]) => [this.reader(partition), some] as const);
    if (readers.length === 1) return read(...readers[0]!, blockMs);
    const now = await all(readers.map(([reader, some]) => read(reader, some, 0)));
    if (now.length > 0 || blockMs === 0 || this.closed) return now;
    const waiting = new Set<PartitionReader>();
    const reads = readers.map(async ([reader, some]) => {
      waiting.add(reader);
      return read(reader, some, blockMs).finally(() => waiting.delete(reader));
    });
    await Promise.race(reads.map((each) => each.catch(() => undefined)));
    while (waiting.size > 0) {
      await Promise.all([...waiting].map((reader) => reader.wake()));
      // Woken too early: it had not reached the server.
      if (waiting.size > 0) await sleep(WAKE_AGAIN_MS);
    }
    return all(reads);
  }

  private reader(partition: Partition): PartitionReader {
    const address = addressOf(partition);
    let reader = this.readers.get(address);
    if (!reader) this.readers.set(address, (reader = new PartitionReader(this.connection, this.keys, partition)));
    return reader;
  }
}

/** Waits for all, also when one fails: what others deliver meanwhile would be lost. */
async function all<E>(reads: readonly Promise<readonly E[]>[]): Promise<E[]> {
  const entries: E[] = [];
  for (const result of await Promise.allSettled(reads)) {
    if (result.status === 'rejected') throw result.reason;
    entries.push(...result.value);
  }
  return entries;
}

function byPartition<S>(
  items: readonly S[],
  partitionOf: (item: S) => Partition,
): readonly (readonly [Partition, readonly S[]])[] {
  const parts = new Map<string, [Partition, S[]]>();
  for (const item of items) {
    const partition = partitionOf(item);
    const part = parts.get(addressOf(partition));
    if (part) part[1].push(item);
    else parts.set(addressOf(partition), [partition, [item]]);
  }
  return [...parts.values()];
}
