import { ConfigurationError } from '@millrace/broker';
import type { Entry } from '@millrace/broker';

export interface ReadOptions {
  /**
   * The first one that is read: a version of a stream, else a position, for which the partition must be said. Default: the
   * first of all; backwards: the last.
   */
  readonly from?: number;
  /** The newest first. Default false. */
  readonly backwards?: boolean;
  /**
   * Time travel: nothing behind this position, for which the partition must be said unless a stream is read, or nothing
   * written later. Clocks differ: forwards, reading ends at the first
   * later event; backwards, it begins at the last one that is not later.
   */
  readonly upTo?: number | Date;
  /** Events at most. Default: all. */
  readonly limit?: number;
  /** Events that are asked for at once, which is also how many are held. Default 500. */
  readonly pageSize?: number;
}

/** Which partition is read, by its index or by a key in it. Default: all, merged by the time of the events. */
export interface IndexReadOptions extends ReadOptions {
  readonly partition?: number;
  readonly key?: string;
}

/** What reading looks at in an event, whatever else is made of its entry. */
export interface PlacedEvent {
  readonly position: number;
  readonly time: Date;
}

/** Entries of one page, and where the next one begins. */
export interface ReadPage {
  readonly entries: readonly Entry[];
  readonly next: number | undefined;
  /** What stands behind these entries and cannot be read: reading ends with it. */
  readonly failure?: Error | undefined;
}

export type ReadNext = (after: number | undefined, limit: number) => Promise<ReadPage>;

/** @throws ConfigurationError for options that have no meaning */
export function checkReadOptions({ from, upTo, limit, pageSize }: ReadOptions): void {
  checkCount('from', from, 1);
  checkCount('limit', limit, 0);
  checkCount('pageSize', pageSize, 1);
  if (upTo instanceof Date ? Number.isNaN(upTo.getTime()) : upTo !== undefined && typeof upTo !== 'number') {
    throw new ConfigurationError(`upTo must be a position or a valid Date`);
  }
  if (typeof upTo === 'number') checkCount('upTo', upTo, 0);
}

/** Reads page after page, the next one only when it is wanted; what has been given is not held. */
export async function* readPages<E extends PlacedEvent>(
  next: ReadNext,
  open: (entry: Entry) => E | Promise<E>,
  { from, backwards = false, upTo, limit = Infinity, pageSize = 500 }: ReadOptions,
): AsyncGenerator<E, void, void> {
  let after = from === undefined ? undefined : backwards ? from + 1 : from - 1;
  let given = 0;
  let arrived = !backwards || upTo === undefined;
  while (given < limit) {
    const page = await next(after, Math.min(pageSize, arrived ? limit - given : pageSize));
    for (const entry of page.entries) {
      const opened = open(entry);
      const event = opened instanceof Promise ? await opened : opened;
      if (upTo !== undefined && !(backwards && arrived) && isBehind(event, upTo)) {
        if (backwards) continue;
        return;
      }
      arrived = true;
      yield event;
      if (++given >= limit) return;
    }
    if (page.failure) throw page.failure;
    if (page.next === undefined) return;
    after = page.next;
  }
}

/** Several readings as one, by the time of their events; each stays in its own order. */
export async function* merged<E extends PlacedEvent>(
  readings: readonly AsyncGenerator<E, void, void>[],
  backwards: boolean,
  limit = Infinity,
): AsyncGenerator<E, void, void> {
  const heads: (E | undefined)[] = [];
  const advance = async (i: number): Promise<void> => {
    heads[i] = (await readings[i]!.next()).value ?? undefined;
  };
  try {
    if (limit > 0) await Promise.all(readings.map((_, i) => advance(i)));
    for (let given = 0; given < limit; given++) {
      let first: number | undefined;
      heads.forEach((event, i) => {
        const other = first === undefined ? undefined : heads[first];
        if (event && (!other || (backwards ? event.time > other.time : event.time < other.time))) first = i;
      });
      if (first === undefined) return;
      yield heads[first]!;
      if (given + 1 < limit) await advance(first);
    }
  } finally {
    await Promise.all(readings.map((reading) => reading.return()));
  }
}

function isBehind(event: PlacedEvent, upTo: number | Date): boolean {
  return typeof upTo === 'number' ? event.position > upTo : event.time > upTo;
}

function checkCount(what: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new ConfigurationError(`${what}: ${String(value)} must be an integer of at least ${least}`);
}
