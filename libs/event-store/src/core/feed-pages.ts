import type { Entry, Partition, Reader } from '@millrace/broker';
import { positionOf } from './stored-event.js';

/** Events of one partition on a page; they become one commit at most. Twice as many were no faster. */
const BATCH = 500;

/** Where a partition's feed is read from: behind this position. */
export interface FeedPlace {
  readonly partition: Partition;
  readonly position: number;
}

type FeedReader = Pick<Reader, 'readFeeds'>;

interface Page {
  readonly after: readonly FeedPlace[];
  readonly entries: Promise<readonly Entry[]>;
}

/** Reads feeds page by page. While one is projected, the next one is on its way, as long as there is more than a page. */
export class FeedPages {
  private ahead: Page | undefined;

  /** @param blockMs longest wait for an event */
  async read(reader: FeedReader, after: readonly FeedPlace[], blockMs: number): Promise<readonly Entry[]> {
    const { ahead } = this;
    this.ahead = undefined;
    // What is projected can come less far than its page, or be moved: then the next page is another one.
    const known = ahead && isSame(ahead.after, after) ? await ahead.entries : [];
    const entries = known.length > 0 ? known : await reader.readFeeds(after, BATCH, blockMs);
    this.readAhead(reader, after, entries);
    return entries;
  }

  private readAhead(reader: FeedReader, after: readonly FeedPlace[], entries: readonly Entry[]): void {
    const feeds = byPartition(entries);
    if (!Array.from(feeds.values()).some((feed) => feed.length === BATCH)) return;
    const next = after.map(({ partition, position }) => {
      const last = feeds.get(partition.index)?.at(-1);
      return { partition, position: last ? positionOf(last) : position };
    });
    // One that fails is read again, and fails then where somebody looks.
    this.ahead = { after: next, entries: reader.readFeeds(next, BATCH, 0).catch(() => []) };
  }
}

/** The entries of each partition, by its index. */
export function byPartition(entries: readonly Entry[]): ReadonlyMap<number, readonly Entry[]> {
  const feeds = new Map<number, Entry[]>();
  for (const entry of entries) {
    const { index } = entry.source.partition;
    const feed = feeds.get(index);
    if (feed) feed.push(entry);
    else feeds.set(index, [entry]);
  }
  return feeds;
}

function isSame(a: readonly FeedPlace[], b: readonly FeedPlace[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ partition, position }, i) => partition.index === b[i]!.partition.index && position === b[i]!.position)
  );
}
