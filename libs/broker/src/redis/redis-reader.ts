import { HOLDER } from '../core/consumer-names.js';
import { youngList } from '../core/young-list.js';
import { StoreUnavailableError } from '../core/errors.js';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import type { Entry, Partition, ReplyAddress, ReplyEntry, Source } from '../core/partition.js';
import type { Reader } from '../core/reader.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisFollowers } from './redis-followers.js';
import { isServerError } from './redis-errors.js';
import { toEntries } from './redis-replies.js';

const LATE = Symbol('late');

/**
 * How much later than its BLOCK time a read may answer before the connection is given up, ms. Not `blockingTimeout` of ioredis: that
 * answers "nothing" and keeps the connection, so what a late reply brings would be delivered to nobody and stay pending.
 */
const GRACE_MS = 5_000;

/** Reads on a connection of its own. A read whose reply was lost rejects, so that the caller looks at what is pending. */
export class RedisReader implements Reader {
  private closed = false;
  private lost = false;
  private readonly followers: RedisFollowers;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
  ) {
    this.followers = new RedisFollowers(connection, keys);
    connection.onLost(() => (this.lost = true));
  }

  async readGroup(
    group: string,
    sources: readonly Source[],
    limit: number,
    blockMs: number,
    consumer = HOLDER,
  ): Promise<readonly Entry[]> {
    const keys = sources.map((source) => this.keys.log(source));
    const args = [
      'GROUP',
      group,
      consumer,
      'COUNT',
      limit,
      ...block(blockMs),
      'STREAMS',
      ...keys,
      ...keys.map(() => '>'),
    ];
    for (;;) {
      try {
        return this.entries(sources, keys, await this.read('XREADGROUP', args, blockMs));
      } catch (error) {
        if (!isServerError(error) || !error.message.startsWith('NOGROUP')) throw error;
        await this.createGroups(sources, group);
      }
    }
  }

  /** One that was lost has its pending entries again: whoever reads must look at them first. */
  private async createGroups(sources: readonly Source[], group: string): Promise<void> {
    const starts = await this.watched('the making of a group', GRACE_MS, () =>
      Promise.all(sources.map((source) => this.followers.createGroup(source, group))),
    );
    const lost = sources.filter((_, i) => starts?.[i]!.status === 'restored');
    if (lost.length === 0) return;
    const logs = lost.map(({ partition, log }) => `${addressOf(partition)} ${log}`).join(', ');
    throw new StoreUnavailableError(`group '${group}' was lost, and goes on where it was last seen in ${logs}`);
  }

  async readFeeds(
    after: readonly { readonly partition: Partition; readonly position: number }[],
    limit: number,
    blockMs: number,
  ): Promise<readonly Entry[]> {
    const sources = after.map(({ partition }): Source => ({ partition, log: 'feed' }));
    const keys = sources.map((source) => this.keys.log(source));
    const ids = after.map(({ position }) => `0-${position}`);
    const reply = await this.read('XREAD', ['COUNT', limit, ...block(blockMs), 'STREAMS', ...keys, ...ids], blockMs);
    return this.entries(sources, keys, reply);
  }

  async readReplies(
    address: ReplyAddress,
    after: string,
    limit: number,
    blockMs: number,
  ): Promise<readonly ReplyEntry[]> {
    const args = ['COUNT', limit, ...block(blockMs), 'STREAMS', this.keys.replies(address), after];
    const reply = (await this.read('XREAD', args, blockMs)) as [string, [string, string[]][]][] | null;
    return (reply?.[0]?.[1] ?? []).map(([id, fields]) => ({ id, fields }));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.connection.disconnect();
  }

  private async read(command: string, args: (string | number)[], blockMs: number): Promise<unknown> {
    if (this.closed) return null;
    if (this.lost) {
      this.lost = false;
      throw new StoreUnavailableError('the reading connection was lost and made again');
    }
    return this.watched('a read', blockMs + GRACE_MS, () => this.connection.read(command, args));
  }

  /** What the reading connection is asked, which has no deadline of its own. Null when the reader is closed meanwhile. */
  private async watched<T>(what: string, ms: number, ask: () => Promise<T>): Promise<T | null> {
    let watchdog: NodeJS.Timeout | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      watchdog = setTimeout(() => resolve(LATE), ms);
    });
    try {
      const reply = await Promise.race([ask(), late]);
      if (reply !== LATE) return reply as T;
      this.connection.reset();
      throw new StoreUnavailableError(`Redis did not answer ${what} within ${ms} ms`);
    } catch (error) {
      if (this.closed) return null;
      if (isServerError(error) || error instanceof StoreUnavailableError) throw error;
      this.lost = false;
      throw new StoreUnavailableError(`the connection was lost during ${what}`, { cause: error });
    } finally {
      clearTimeout(watchdog);
    }
  }

  private entries(sources: readonly Source[], keys: readonly string[], reply: unknown): Entry[] {
    const entries = youngList<Entry>();
    for (const [key, items] of (reply ?? []) as [string, unknown[]][]) {
      const source = sources[keys.indexOf(key)];
      if (source) toEntries(source, items, entries);
    }
    return entries;
  }
}

/** To Redis, BLOCK 0 means for ever. */
function block(blockMs: number): readonly (string | number)[] {
  return blockMs > 0 ? ['BLOCK', Math.ceil(blockMs)] : [];
}
