import type { Entry, EntryRef, Partition } from '../partition.js';
import type { IndexSlice, Page, StreamEntry, StreamSlice } from '../event-reads.js';
import type { PartitionStore } from '../partition-store.js';
import type { Reader } from '../reader.js';
import type { FeedArchive } from './feed-archive.js';
import { positionOf } from './segment.js';

/** The methods that read events. */
type EventReads = Pick<
  PartitionStore,
  'readStream' | 'readTagged' | 'readCategory' | 'readFeed' | 'readEntry' | 'openReader'
>;

/**
 * A store that reads events which are no longer in its feeds from an archive: streams, tags, categories and feeds are as whole
 * as if nothing had been archived. Everything else is the store's own.
 */
export function withArchive(store: PartitionStore, archive: FeedArchive): PartitionStore {
  const reads: EventReads = new ArchivedReads(store, archive);
  return new Proxy(store, {
    get(target, name) {
      const from: object = name in reads ? reads : target;
      const member: unknown = Reflect.get(from, name, from);
      return typeof member === 'function' ? (...args: unknown[]): unknown => Reflect.apply(member, from, args) : member;
    },
  });
}

class ArchivedReads implements EventReads {
  constructor(
    private readonly store: PartitionStore,
    private readonly archive: FeedArchive,
  ) {}

  async readStream(partition: Partition, stream: string, page: Page = {}): Promise<StreamSlice> {
    const { version, entries, removed = [] } = await this.store.readStream(partition, stream, page);
    if (removed.length === 0) return { version, entries };
    const found: StreamEntry[] = [...entries];
    const lost: { readonly version: number; readonly position: number }[] = [];
    for (const each of removed) {
      const entry = await this.archive.at(partition, each.position);
      if (entry) found.push({ ...entry, version: each.version });
      else lost.push(each);
    }
    found.sort((a, b) => (page.backwards ? b.version - a.version : a.version - b.version));
    return { version, entries: found, ...(lost.length > 0 ? { removed: lost } : {}) };
  }

  async readTagged(partition: Partition, tag: string, page: Page = {}): Promise<IndexSlice> {
    return this.whole(partition, await this.store.readTagged(partition, tag, page), page);
  }

  async readCategory(partition: Partition, category: string, page: Page = {}): Promise<IndexSlice> {
    return this.whole(partition, await this.store.readCategory(partition, category, page), page);
  }

  async readFeed(partition: Partition, after: number, limit: number, backwards = false): Promise<readonly Entry[]> {
    const stored = await this.store.readFeed(partition, after, limit, backwards);
    return backwards ? this.goBackwards(partition, after, limit, stored) : this.begin(partition, after, limit, stored);
  }

  async readEntry(entry: EntryRef): Promise<Entry | undefined> {
    const stored = await this.store.readEntry(entry);
    if (stored || entry.source.log !== 'feed') return stored;
    return this.archive.at(entry.source.partition, positionOf(entry));
  }

  openReader(): Reader {
    const reader = this.store.openReader();
    return {
      readGroup: (...args) => reader.readGroup(...args),
      readReplies: (...args) => reader.readReplies(...args),
      close: () => reader.close(),
      readFeeds: async (after, limit, blockMs) => {
        const entries = await reader.readFeeds(after, limit, blockMs);
        const feeds = await Promise.all(
          after.map(async ({ partition, position }) => {
            const { context, index } = partition;
            const own = entries.filter(({ source: { partition: p } }) => p.context === context && p.index === index);
            return own.length === 0 ? own : this.begin(partition, position, limit, own);
          }),
        );
        return feeds.flat();
      },
    };
  }

  private async whole(partition: Partition, slice: IndexSlice, { backwards }: Page): Promise<IndexSlice> {
    const { entries, next, removed = [] } = slice;
    if (removed.length === 0) return slice;
    const found = [...entries];
    const lost: number[] = [];
    for (const position of removed) {
      const entry = await this.archive.at(partition, position);
      if (entry) found.push(entry);
      else lost.push(position);
    }
    found.sort((a, b) => (backwards ? positionOf(b) - positionOf(a) : positionOf(a) - positionOf(b)));
    return { entries: found, next, ...(lost.length > 0 ? { removed: lost } : {}) };
  }

  /** What comes after a position, when the feed begins only behind it. */
  private async begin(
    partition: Partition,
    after: number,
    limit: number,
    stored: readonly Entry[],
  ): Promise<readonly Entry[]> {
    const first = stored[0] ? positionOf(stored[0]) : after + 1;
    const entries: Entry[] = [];
    for (let last = after; last + 1 < first && entries.length < limit;) {
      const found = await this.archive.after(partition, last, limit - entries.length);
      // After a crash the archive has events that have not left the feed yet.
      const archived = found.filter((entry) => positionOf(entry) < first);
      if (archived.length === 0) break;
      entries.push(...archived);
      last = positionOf(archived.at(-1)!);
    }
    return [...entries, ...stored].slice(0, limit);
  }

  private async goBackwards(
    partition: Partition,
    after: number,
    limit: number,
    stored: readonly Entry[],
  ): Promise<readonly Entry[]> {
    const entries = [...stored];
    let last = entries.length > 0 ? positionOf(entries.at(-1)!) : after;
    while (entries.length < limit && Number.isFinite(last) && last > 1) {
      const archived = await this.archive.before(partition, last, limit - entries.length);
      if (archived.length === 0) break;
      entries.push(...archived);
      last = positionOf(archived.at(-1)!);
    }
    return entries;
  }
}
