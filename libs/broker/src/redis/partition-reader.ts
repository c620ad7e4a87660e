import { StoreUnavailableError } from '../core/errors.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Entry, Partition, ReplyAddress, ReplyEntry, Source } from '../core/partition.js';
import type { Reader } from '../core/reader.js';
import type { ClusterConnection, NodeConnection } from './cluster-connection.js';
import { isElsewhere } from './redis-errors.js';
import { RedisReader } from './redis-reader.js';

/** How long a read may wait where nobody is allowed to wake it, ms. */
const SHORT_MS = 50;

/** Reads the logs of one partition at the node of a cluster that has it, and follows it to another one. */
export class PartitionReader {
  private place: { readonly connection: NodeConnection; readonly reader: Reader } | undefined;
  private wakeable = true;
  private closed = false;
  /** For the moment in which a partition is on its way: routed as every other command, but it must not wait. */
  private readonly routed: Reader;

  constructor(
    private readonly cluster: ClusterConnection,
    private readonly keys: KeyBuilder,
    private readonly partition: Partition,
  ) {
    this.routed = new RedisReader({ ...cluster, onLost: () => undefined, reset: () => undefined }, keys);
  }

  readGroup(
    group: string,
    sources: readonly Source[],
    limit: number,
    blockMs: number,
    consumer?: string,
  ): Promise<readonly Entry[]> {
    return this.read(blockMs, (reader, ms) => reader.readGroup(group, sources, limit, ms, consumer));
  }

  readFeeds(
    after: readonly { readonly partition: Partition; readonly position: number }[],
    limit: number,
    blockMs: number,
  ): Promise<readonly Entry[]> {
    return this.read(blockMs, (reader, ms) => reader.readFeeds(after, limit, ms));
  }

  readReplies(address: ReplyAddress, after: string, limit: number, blockMs: number): Promise<readonly ReplyEntry[]> {
    return this.read(blockMs, (reader, ms) => reader.readReplies(address, after, limit, ms));
  }

  /** Makes a read that waits answer. */
  async wake(): Promise<void> {
    if (this.place && !(await this.place.connection.unblock())) this.wakeable = false;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.leave();
  }

  private async read<E>(
    blockMs: number,
    read: (reader: Reader, blockMs: number) => Promise<readonly E[]>,
  ): Promise<readonly E[]> {
    try {
      const { reader } = (this.place ??= await this.open());
      return await read(reader, this.wakeable ? blockMs : Math.min(blockMs, SHORT_MS));
    } catch (error) {
      await this.leave();
      if (this.closed) return [];
      if (!isElsewhere(error)) throw error;
      // Refused, so nothing has been delivered. This also tells the client where the partition is now.
      return read(this.routed, 0);
    }
  }

  private async open(): Promise<{ connection: NodeConnection; reader: Reader }> {
    const connection = await this.cluster.at(this.keys.log({ partition: this.partition, log: 'in' }));
    if (this.closed) {
      connection.disconnect();
      throw new StoreUnavailableError('the reader has been closed');
    }
    return { connection, reader: new RedisReader(connection, this.keys) };
  }

  private async leave(): Promise<void> {
    const { place } = this;
    this.place = undefined;
    await place?.reader.close();
  }
}
