import { ConfigurationError } from '../core/errors.js';
import { FirstIndexes, INDEX_KINDS } from '../core/event-index.js';
import type { EventIndex, RestoredEvent } from '../core/event-index.js';
import type { Partition } from '../core/partition.js';
import { obtain } from './in-memory-data.js';
import type { InMemoryData } from './in-memory-data.js';

export function listIndexesInMemory(
  data: InMemoryData,
  partition: Partition,
  limit: number,
  after?: EventIndex,
): readonly EventIndex[] {
  const first = new FirstIndexes(limit, after);
  for (const kind of INDEX_KINDS) {
    const prefix = data.keys.index(partition, { kind, name: '-' }).slice(0, -1);
    for (const [key, positions] of data.positionsOf(kind)) {
      if (positions.length > 0 && key.startsWith(prefix)) first.add({ kind, name: key.slice(prefix.length) });
    }
  }
  return first.inOrder();
}

export function readPositionsInMemory(
  data: InMemoryData,
  partition: Partition,
  index: EventIndex,
  offset: number,
  limit: number,
): readonly number[] {
  const positions = data.positionsOf(index.kind).get(data.keys.index(partition, index)) ?? [];
  return positions.slice(offset, offset + limit);
}

/** @throws ConfigurationError for a gap between events, which this store cannot have */
export function restoreEventsInMemory(
  data: InMemoryData,
  partition: Partition,
  after: number,
  events: readonly RestoredEvent[],
): boolean {
  const feed = data.log({ partition, log: 'feed' });
  if (feed.length !== after) return false;
  events.forEach(({ position }, i) => {
    const before = i === 0 ? after : events[i - 1]!.position;
    if (position === before + 1 || before === 0) return;
    throw new ConfigurationError(`a feed in memory has no gaps: position ${position} cannot follow ${before}`);
  });
  for (const { position, fields } of events) feed.restore(position, fields);
  return true;
}

export function restorePositionsInMemory(
  data: InMemoryData,
  partition: Partition,
  index: EventIndex,
  offset: number,
  positions: readonly number[],
): boolean {
  const lists = data.positionsOf(index.kind);
  const list = obtain(lists, data.keys.index(partition, index), (): number[] => []);
  if (list.length !== offset) return false;
  list.push(...positions);
  const record = data.retention(partition);
  const first = positions[0];
  if (first !== undefined && first < (record.firstStreamEvent ?? Infinity)) record.firstStreamEvent = first;
  return true;
}
