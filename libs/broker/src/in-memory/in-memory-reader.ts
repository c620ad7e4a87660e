import { HOLDER } from '../core/consumer-names.js';
import { StoreUnavailableError } from '../core/errors.js';
import type { Reader } from '../core/reader.js';
import type { Entry, Partition, ReplyAddress, ReplyEntry, Source } from '../core/partition.js';
import type { InMemoryData } from './in-memory-data.js';
import type { InMemoryLog } from './in-memory-log.js';
import { createGroupInMemory } from './in-memory-retention.js';

export class InMemoryReader implements Reader {
  private closed = false;
  private wake: () => void = () => undefined;

  constructor(private readonly data: InMemoryData) {}

  async readGroup(
    group: string,
    sources: readonly Source[],
    limit: number,
    blockMs: number,
    consumer = HOLDER,
  ): Promise<readonly Entry[]> {
    return this.read(sources, blockMs, () =>
      sources.flatMap((source) => {
        const isThere = this.data.findGroup(source, group) !== undefined;
        if (!isThere && createGroupInMemory(this.data, source, group).status === 'restored') {
          throw new StoreUnavailableError(`group '${group}' was lost, and goes on where it was`);
        }
        const each = this.data.group(source, group);
        each.seen = this.data.clock.now();
        return each.deliver(limit, each.seen, consumer);
      }),
    );
  }

  async readFeeds(
    after: readonly { readonly partition: Partition; readonly position: number }[],
    limit: number,
    blockMs: number,
  ): Promise<readonly Entry[]> {
    const sources = after.map(({ partition }): Source => ({ partition, log: 'feed' }));
    return this.read(sources, blockMs, (logs) => logs.flatMap((log, i) => log.after(after[i]!.position, limit)));
  }

  async readReplies(
    address: ReplyAddress,
    after: string,
    limit: number,
    blockMs: number,
  ): Promise<readonly ReplyEntry[]> {
    const replies = this.data.repliesTo(address);
    return this.wait([replies.log], blockMs, () => replies.after(after, this.data.clock.now()).slice(0, limit));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.wake();
  }

  private async read(
    sources: readonly Source[],
    blockMs: number,
    take: (logs: readonly InMemoryLog[]) => readonly Entry[],
  ): Promise<readonly Entry[]> {
    const logs = sources.map((source) => this.data.log(source));
    return this.wait(logs, blockMs, () => take(logs));
  }

  private async wait<T>(
    logs: readonly InMemoryLog[],
    blockMs: number,
    take: () => readonly T[],
  ): Promise<readonly T[]> {
    const deadline = performance.now() + blockMs;
    // What is taken after close() would be delivered to nobody.
    while (!this.closed) {
      const entries = take();
      const left = deadline - performance.now();
      if (entries.length > 0 || left <= 0) return entries;
      await this.appended(logs, left);
    }
    return [];
  }

  private async appended(logs: readonly InMemoryLog[], timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let ends: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      timer = setTimeout(resolve, timeoutMs);
      ends = logs.map((log) => log.onAppend(resolve));
    });
    clearTimeout(timer);
    for (const end of ends) end();
  }
}
