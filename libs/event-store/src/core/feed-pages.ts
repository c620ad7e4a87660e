import { youngList } from '@millrace/broker';
import type { Entry, Partition, Reader } from '@millrace/broker';
import { positionOf } from './stored-event.js';

/** Events of all partitions on a page. What is held through collections of young objects costs more than reading more often. */
const PAGE = 500;
/** Of one partition at least. */
const LEAST = 50;

/** Where a partition's feed is read from: behind this position. */
export interface FeedPlace {
  readonly partition: Partition;
  readonly position: number;
}

/** What a page has of one partition. */
export class FeedPart {
  readonly entries = youngList<Entry>();

  constructor(private readonly limit: number) {}

  /** Whether as many came as were asked for, so that there may be more. */
  get more(): boolean {
    return this.entries.length === this.limit;
  }
}

/** By the index of the partition; without those that have nothing. */
export type FeedPage = ReadonlyMap<number, FeedPart>;

type FeedReader = Pick<Reader, 'readFeeds'>;

interface Ahead {
  readonly after: readonly FeedPlace[];
  readonly page: Promise<FeedPage>;
}

/** Reads feeds page by page. While one is projected, the next one is on its way, as long as there is more than a page. */
export class FeedPages {
  private ahead: Ahead | undefined;
  /** Partitions that had more than a page the last time, between which the next one is divided. */
  private behind = 0;

  /** @param each events of one partition on a page; undefined: so many that the page stays small */
  constructor(private readonly each?: number) {}

  /** @param blockMs longest wait for an event */
  async read(reader: FeedReader, after: readonly FeedPlace[], blockMs: number): Promise<FeedPage> {
    const { ahead } = this;
    this.ahead = undefined;
    // What is projected can come less far than its page, or be moved: then the next page is another one.
    const known = ahead && isSame(ahead.after, after) ? await ahead.page : NOTHING;
    const page = known.size > 0 ? known : await this.pageOf(reader, after, blockMs);
    this.readAhead(reader, after, page);
    return page;
  }

  private async pageOf(reader: FeedReader, after: readonly FeedPlace[], blockMs: number): Promise<FeedPage> {
    const limit = this.each ?? Math.max(LEAST, Math.floor(PAGE / (this.behind || after.length)));
    return byPartition(await reader.readFeeds(after, limit, blockMs), limit);
  }

  private readAhead(reader: FeedReader, after: readonly FeedPlace[], page: FeedPage): void {
    this.behind = Array.from(page.values()).filter(({ more }) => more).length;
    if (this.behind === 0) return;
    const next = after.map(({ partition, position }) => {
      const last = page.get(partition.index)?.entries.at(-1);
      return { partition, position: last ? positionOf(last) : position };
    });
    // One that fails is read again, and fails then where somebody looks.
    this.ahead = { after: next, page: this.pageOf(reader, next, 0).catch(() => NOTHING) };
  }
}

const NOTHING: FeedPage = new Map();

function byPartition(entries: readonly Entry[], limit: number): FeedPage {
  const page = new Map<number, FeedPart>();
  let part: FeedPart | undefined;
  let of: Partition | undefined;
  // They come partition by partition.
  for (const entry of entries) {
    const { partition } = entry.source;
    if (!part || partition !== of) {
      of = partition;
      part = page.get(partition.index) ?? new FeedPart(limit);
      page.set(partition.index, part);
    }
    part.entries.push(entry);
  }
  return page;
}

function isSame(a: readonly FeedPlace[], b: readonly FeedPlace[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ partition, position }, i) => partition.index === b[i]!.partition.index && position === b[i]!.position)
  );
}
