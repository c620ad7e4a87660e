import type { KeyBuilder, Partition } from '@millrace/broker';
import type { Redis } from 'ioredis';

/** Changes what is stored past Millrace, as a fault or somebody with a shell would. */
export class FeedEditor {
  constructor(
    private readonly redis: Redis,
    private readonly keys: KeyBuilder,
    private readonly partition: Partition,
  ) {}

  /** Puts another text in place of the event at a version of a stream: Redis has no command for that, so the feed is written anew. */
  async rewrite(stream: string, version: number, edit: (text: string) => string): Promise<void> {
    const position = await this.redis.lindex(this.list(stream), version - 1);
    const entries = await this.redis.xrange(this.feed, '-', '+');
    await this.redis.del(this.feed);
    for (const [id, [name, text]] of entries) {
      await this.redis.xadd(this.feed, id, name!, id === `0-${position}` ? edit(text!) : text!);
    }
  }

  /** Takes the event at a version of a stream out of the feed, and leaves its position in the stream. */
  async remove(stream: string, version: number): Promise<void> {
    await this.redis.xdel(this.feed, `0-${await this.redis.lindex(this.list(stream), version - 1)}`);
  }

  /** Takes the position of an event out of a stream, so that the later ones move up. */
  async unlist(stream: string, version: number): Promise<void> {
    const position = await this.redis.lindex(this.list(stream), version - 1);
    await this.redis.lrem(this.list(stream), 1, position!);
  }

  async swap(stream: string, one: number, other: number): Promise<void> {
    const list = this.list(stream);
    const [first, second] = [await this.redis.lindex(list, one - 1), await this.redis.lindex(list, other - 1)];
    await this.redis.lset(list, one - 1, second!);
    await this.redis.lset(list, other - 1, first!);
  }

  /** The lists of two streams change places. */
  async swapStreams(one: string, other: string): Promise<void> {
    await this.redis.rename(this.list(one), `${this.list(one)}-aside`);
    await this.redis.rename(this.list(other), this.list(one));
    await this.redis.rename(`${this.list(one)}-aside`, this.list(other));
  }

  /** Adds an event to the feed, and to a stream before the event at a version; behind the last one without. */
  async insert(stream: string, text: string, before?: number): Promise<void> {
    const id = await this.redis.xadd(this.feed, '0-*', 'event', text);
    const position = id!.slice(2);
    const list = this.list(stream);
    if (before === undefined) await this.redis.rpush(list, position);
    else await this.redis.linsert(list, 'BEFORE', (await this.redis.lindex(list, before - 1))!, position);
  }

  /** Leaves the first events of a stream. */
  async truncate(stream: string, events: number): Promise<void> {
    await this.redis.ltrim(this.list(stream), 0, events - 1);
  }

  private get feed(): string {
    return this.keys.log({ partition: this.partition, log: 'feed' });
  }

  private list(stream: string): string {
    return this.keys.stream(this.partition, stream);
  }
}
