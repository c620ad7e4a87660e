import { MESSAGE_FIELD } from '@millrace/messages';
import type { Entry } from '../core/partition.js';
import { INDEX_PAGE } from '../core/event-reads.js';
import type { IndexSlice, Page, StreamSlice } from '../core/event-reads.js';
import type { KeyedQuery } from '../core/tag-query.js';
import type { InMemoryData } from './in-memory-data.js';
import type { InMemoryLog } from './in-memory-log.js';

/** @param positions of the stream's events */
export function readStreamInMemory(
  feed: InMemoryLog,
  positions: readonly number[],
  { after, limit = Infinity, backwards = false }: Page,
): StreamSlice {
  const version = positions.length;
  const first = backwards ? Math.min(after ?? Infinity, version + 1) - 1 : (after ?? 0) + 1;
  const count = Math.max(0, Math.min(limit, backwards ? first : version - first + 1));
  const versions = Array.from({ length: count }, (_, i) => (backwards ? first - i : first + i));
  const entries = versions.flatMap((each) => {
    const entry = entryAt(feed, positions[each - 1]!);
    return entry ? { ...entry, version: each } : [];
  });
  const removed = versions
    .map((each) => ({ version: each, position: positions[each - 1]! }))
    .filter(({ position }) => !entryAt(feed, position));
  return removed.length > 0 ? { version, entries, removed } : { version, entries };
}

/** @param positions of the events with a tag, or of a category */
export function readIndexInMemory(
  feed: InMemoryLog,
  positions: readonly number[],
  { after, limit = INDEX_PAGE, backwards = false }: Page,
): IndexSlice {
  const left = backwards
    ? positions.filter((position) => position < (after ?? Infinity)).reverse()
    : positions.filter((position) => position > (after ?? 0));
  const page = left.slice(0, limit);
  const removed = page.filter((position) => !entryAt(feed, position));
  return {
    entries: page.flatMap((position) => entryAt(feed, position) ?? []),
    next: left.length > limit ? page.at(-1) : undefined,
    ...(removed.length > 0 ? { removed } : {}),
  };
}

/** Position of the newest event after a position that has all tags and one of the types; 0 without one. */
export function newestMatch(data: InMemoryData, feed: InMemoryLog, { keys, types }: KeyedQuery, after: number): number {
  const [first = [], ...others] = keys.map((key) => data.indexes.get(key) ?? []);
  const matches = first.filter(
    (position) =>
      position > after &&
      others.every((positions) => positions.includes(position)) &&
      (types.length === 0 || isOfType(entryAt(feed, position), types)),
  );
  return matches.at(-1) ?? 0;
}

/** What cannot be read may be of any type. */
function isOfType(entry: Entry | undefined, types: readonly string[]): boolean {
  if (entry?.fields[0] !== MESSAGE_FIELD) return true;
  try {
    const { type } = JSON.parse(entry.fields[1]!) as { readonly type?: unknown };
    return typeof type !== 'string' || types.includes(type);
  } catch {
    return true;
  }
}

function entryAt({ entries, trimmed }: InMemoryLog, position: number): Entry | undefined {
  return entries[position - 1 - trimmed];
}
