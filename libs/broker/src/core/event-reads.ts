import type { Entry, Partition } from './partition.js';

/** Reading what has been appended. */
export interface EventReads {
  /** The events of one stream, in order or backwards. Without a limit: all of them, read in several pages. */
  readStream(partition: Partition, stream: string, page?: Page): Promise<StreamSlice>;

  /** The events with a tag in the order of the feed, or backwards; `page.after` is a position. */
  readTagged(partition: Partition, tag: string, page?: Page): Promise<IndexSlice>;

  /** The events of all streams of a category in the order of the feed, or backwards; `page.after` is a position. */
  readCategory(partition: Partition, category: string, page?: Page): Promise<IndexSlice>;

  /** Feed entries after a position, oldest first; backwards: those before it (Infinity: from the last), newest first. */
  readFeed(partition: Partition, after: number, limit: number, backwards?: boolean): Promise<readonly Entry[]>;

  /** Last position of a feed, 0 when empty. */
  head(partition: Partition): Promise<number>;
}

/** Which part of a list of events is read. */
export interface Page {
  /**
   * Where the page before ended: the version (of a stream) or position that the first one comes after in the direction of
   * reading. Default: the beginning, or backwards the end.
   */
  readonly after?: number;
  /** Events at most, at least 1. Default: no limit for a stream, 1000 for an index. */
  readonly limit?: number;
  /** The newest first. Default false. */
  readonly backwards?: boolean;
}

/** Events of an index that are read when no limit is given. */
export const INDEX_PAGE = 1_000;

export interface StreamSlice {
  /** Version of the whole stream. */
  readonly version: number;
  readonly entries: readonly StreamEntry[];
  /** Events of this page that are no longer in the feed, in the direction of reading. Absent: none. */
  readonly removed?: readonly { readonly version: number; readonly position: number }[];
}

export interface StreamEntry extends Entry {
  /** Its number in the stream, from 1. Not without gaps: an event that is no longer in the feed is left out. */
  readonly version: number;
}

export interface IndexSlice {
  readonly entries: readonly Entry[];
  /** Positions of this page whose events are no longer in the feed, in the direction of reading. Absent: none. */
  readonly removed?: readonly number[];
  /** `after` of the next page; undefined when nothing is left. */
  readonly next: number | undefined;
}
