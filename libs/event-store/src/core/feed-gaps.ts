import type { Entry, Partition, PartitionStore } from '@millrace/broker';
import { positionOf } from './stored-event.js';

/** Positions without an event, both ends included. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** What entries of a feed pass over, that were read behind a position. */
export function gapsBehind(after: number, entries: readonly Entry[]): readonly Gap[] {
  const gaps: Gap[] = [];
  if (isWhole(after, entries)) return gaps;
  let last = after;
  for (const entry of entries) {
    const position = positionOf(entry);
    if (position > last + 1) gaps.push({ from: last + 1, to: position - 1 });
    last = position;
  }
  return gaps;
}

/** Told by both ends of a page, as most pages are. */
function isWhole(after: number, entries: readonly Entry[]): boolean {
  const first = entries[0];
  if (!first) return true;
  const from = positionOf(first);
  return from <= after + 1 && positionOf(entries.at(-1)!) === from + entries.length - 1;
}

/**
 * What entries of a feed pass over, that were read backwards.
 *
 * @param before position behind the first one; Infinity: the first one is the last of the feed
 * @param isEnd whether nothing comes before them
 */
export function gapsBefore(before: number, entries: readonly Entry[], isEnd: boolean): readonly Gap[] {
  const gaps: Gap[] = [];
  let last = before;
  for (const position of [...entries.map(positionOf), ...(isEnd ? [0] : [])]) {
    if (Number.isFinite(last) && position < last - 1) gaps.push({ from: position + 1, to: last - 1 });
    last = position;
  }
  return gaps;
}

/**
 * The gaps that archived events have left, where the store does not read the archive, or the archive has lost them. Others
 * are of events that retention has let go, or somebody has removed by hand.
 */
export async function archivedGaps(
  store: Pick<PartitionStore, 'archivedRange'>,
  partition: Partition,
  gaps: readonly Gap[],
): Promise<readonly Gap[]> {
  const archived = gaps.length > 0 ? await store.archivedRange(partition) : undefined;
  if (!archived) return [];
  return gaps.flatMap(({ from, to }) => {
    const gap = { from: Math.max(from, archived.from), to: Math.min(to, archived.to) };
    return gap.from <= gap.to ? [gap] : [];
  });
}
