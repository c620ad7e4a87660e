import { addressOf } from '../partition.js';
import type { Entry, Partition } from '../partition.js';
import { ArchiveError } from './archive-error.js';
import type { ArchiveStore } from './archive-store.js';
import { positionOf, readSegment, segmentAt, segmentFolder, writeSegment } from './segment.js';
import type { Segment } from './segment.js';

export interface FeedArchiveOptions {
  /** Events of one object. So many must be free to go before any goes. Default 5000. */
  readonly segment?: number;
}

/** Segments whose events are kept in memory. */
const OPEN_SEGMENTS = 4;

/**
 * The oldest events of feeds, kept outside of the store: also those of streams, whose positions stay in the store. Reading
 * goes on in the archive where the feed begins ({@link withArchive}).
 *
 * One archive is for one namespace.
 */
export class FeedArchive {
  readonly segment: number;
  private readonly segments = new Map<string, readonly Segment[]>();
  private readonly opened = new Map<string, Promise<readonly Entry[]>>();

  constructor(
    private readonly store: ArchiveStore,
    { segment = 5_000 }: FeedArchiveOptions = {},
  ) {
    this.segment = segment;
  }

  /**
   * Keeps consecutive events, and reads them back. The same events may be given again.
   *
   * @throws ArchiveError when what is read back is not what was given
   */
  async keep(entries: readonly Entry[], partition: Partition): Promise<void> {
    if (entries.length === 0) return;
    const [segment, bytes] = await writeSegment(partition, entries);
    await this.store.put(segment.key, bytes);
    const kept = await this.store.get(segment.key);
    if (!kept) throw new ArchiveError(`${segment.key} was put into the archive and is not there`);
    await readSegment(partition, segment, kept);
    this.segments.delete(addressOf(partition));
  }

  /** The next events after a position that are here, oldest first, up to a limit and to the end of their segment. */
  async after(partition: Partition, position: number, limit: number): Promise<readonly Entry[]> {
    const segment =
      (await this.find(partition, position + 1)) ?? nearest(this.known(partition), ({ from }) => from - position);
    const entries = segment ? await this.entriesOf(partition, segment) : [];
    const first = entries.findIndex((entry) => positionOf(entry) > position);
    return first < 0 ? [] : entries.slice(first, first + limit);
  }

  /** Events before a position, newest first, as {@link after}. */
  async before(partition: Partition, position: number, limit: number): Promise<readonly Entry[]> {
    const segment =
      (await this.find(partition, position - 1)) ?? nearest(this.known(partition), ({ to }) => position - to);
    const entries = segment ? await this.entriesOf(partition, segment) : [];
    return entries
      .filter((entry) => positionOf(entry) < position)
      .slice(-limit)
      .reverse();
  }

  /** One event; undefined when it is not here. */
  async at(partition: Partition, position: number): Promise<Entry | undefined> {
    const segment = await this.find(partition, position);
    const entries = segment ? await this.entriesOf(partition, segment) : [];
    return entries.find((entry) => positionOf(entry) === position);
  }

  private async entriesOf(partition: Partition, segment: Segment): Promise<readonly Entry[]> {
    let entries = this.opened.get(segment.key);
    if (!entries) {
      entries = this.open(partition, segment);
      this.opened.set(segment.key, entries);
      entries.catch(() => this.opened.delete(segment.key));
      const [oldest] = this.opened.keys();
      if (this.opened.size > OPEN_SEGMENTS) this.opened.delete(oldest!);
    }
    return entries;
  }

  private async open(partition: Partition, segment: Segment): Promise<readonly Entry[]> {
    const bytes = await this.store.get(segment.key);
    if (!bytes) throw new ArchiveError(`${segment.key} is no longer in the archive`);
    return readSegment(partition, segment, bytes);
  }

  /** Another process may have archived more than this one knows of. */
  private async find(partition: Partition, position: number): Promise<Segment | undefined> {
    const covers = ({ from, to }: Segment) => from <= position && position <= to;
    const known = this.known(partition).find(covers);
    if (known) return known;
    const keys = await this.store.list(segmentFolder(partition));
    const segments = keys.flatMap((key) => segmentAt(key) ?? []);
    this.segments.set(addressOf(partition), segments);
    return segments.find(covers);
  }

  private known(partition: Partition): readonly Segment[] {
    return this.segments.get(addressOf(partition)) ?? [];
  }
}

/** The segment with the least distance of those that have one. */
function nearest(segments: readonly Segment[], distance: (segment: Segment) => number): Segment | undefined {
  const ahead = segments.filter((segment) => distance(segment) > 0);
  return ahead.toSorted((a, b) => distance(a) - distance(b))[0];
}
