import { checkName, ConfigurationError } from '@millrace/broker';
import type { Broker, Entry, IndexSlice, Partition } from '@millrace/broker';
import { archivedGaps, gapsBefore, gapsBehind } from './feed-gaps.js';
import { checkReadOptions, merged, readPages } from './reading.js';
import type { IndexReadOptions, PlacedEvent, ReadNext, ReadOptions, ReadPage } from './reading.js';
import { goneEvent, positionOf } from './stored-event.js';
import { identify } from './stream-name.js';
import type { StreamName } from './stream-name.js';

/** What becomes of an entry; its stream and version are said where a stream is read. */
export type OpenEvent<E extends PlacedEvent> = (entry: Entry, stream?: string, version?: number) => E | Promise<E>;

type Events<E> = AsyncGenerator<E, void, void>;

interface PartitionPage {
  readonly after?: number;
  readonly limit: number;
  readonly backwards: boolean;
}

export function readStream<E extends PlacedEvent>(
  broker: Broker,
  stream: StreamName,
  options: ReadOptions & { readonly key?: string },
  open: OpenEvent<E>,
): Events<E> {
  checkReadOptions(options);
  const { name, key } = identify(stream);
  const partition = broker.partitionFor(options.key ?? key);
  const { backwards = false } = options;
  // Of the page that is read: a new one for each, as V8 links the tables of a map that is cleared.
  let versions = new Map<Entry, number>();
  const next: ReadNext = async (after, limit) => {
    const page = { limit, backwards, ...(after === undefined ? {} : { after }) };
    const { version, entries, removed } = await broker.store.readStream(partition, name, page);
    versions = new Map(entries.map((entry) => [entry, entry.version]));
    const end = backwards ? Math.min(after ?? Infinity, version + 1) - limit : (after ?? 0) + limit;
    const next = (backwards ? end <= 1 : end >= version) ? undefined : end;
    const gone = removed?.[0];
    if (!gone) return { entries, next };
    const failure = goneEvent({ partition, position: gone.position, stream: name }, `version ${gone.version}`);
    return { entries: entries.filter(isAhead(gone.position, backwards)), next, failure };
  };
  return readPages(next, (entry) => open(entry, name, versions.get(entry)), options);
}

export function readTagged<E extends PlacedEvent>(
  broker: Broker,
  tag: string,
  options: IndexReadOptions,
  open: OpenEvent<E>,
): Events<E> {
  checkName(tag, 'tag');
  return across(broker, options, open, async (partition, page) =>
    pageOf(partition, await broker.store.readTagged(partition, tag, page), page),
  );
}

export function readCategory<E extends PlacedEvent>(
  broker: Broker,
  category: string,
  options: IndexReadOptions,
  open: OpenEvent<E>,
): Events<E> {
  checkName(category, 'category');
  return across(broker, options, open, async (partition, page) =>
    pageOf(partition, await broker.store.readCategory(partition, category, page), page),
  );
}

export function readFeed<E extends PlacedEvent>(
  broker: Broker,
  options: IndexReadOptions,
  open: OpenEvent<E>,
): Events<E> {
  return across(broker, options, open, async (partition, { after, limit, backwards }) => {
    const from = after ?? (backwards ? Infinity : 0);
    const entries = await broker.store.readFeed(partition, from, limit, backwards);
    const last = entries.at(-1);
    const next = last && entries.length === limit ? positionOf(last) : undefined;
    const gaps = backwards ? gapsBefore(from, entries, next === undefined) : gapsBehind(from, entries);
    const [gap] = await archivedGaps(broker.store, partition, gaps);
    if (!gap) return { entries, next };
    const position = backwards ? gap.to : gap.from;
    const ahead = entries.filter(isAhead(position, backwards));
    return { entries: ahead, next, failure: goneEvent({ partition, position }) };
  });
}

function pageOf(partition: Partition, { entries, next, removed }: IndexSlice, { backwards }: PartitionPage): ReadPage {
  const position = removed?.[0];
  if (position === undefined) return { entries, next };
  const ahead = entries.filter(isAhead(position, backwards));
  return { entries: ahead, next, failure: goneEvent({ partition, position }) };
}

/** Whether an entry is read before a position is reached. */
function isAhead(position: number, backwards: boolean): (entry: Entry) => boolean {
  return (entry) => (backwards ? positionOf(entry) > position : positionOf(entry) < position);
}

function across<E extends PlacedEvent>(
  broker: Broker,
  options: IndexReadOptions,
  open: OpenEvent<E>,
  read: (partition: Partition, page: PartitionPage) => ReturnType<ReadNext>,
): Events<E> {
  checkReadOptions(options);
  const { backwards = false, limit } = options;
  const partitions = partitionsIn(broker, options);
  if (partitions.length > 1) refusePositions(options);
  const readings = partitions.map((partition) => {
    const next: ReadNext = (after, count) =>
      read(partition, { limit: count, backwards, ...(after === undefined ? {} : { after }) });
    return readPages(next, (entry) => open(entry), options);
  });
  return readings.length === 1 ? readings[0]! : merged(readings, backwards, limit);
}

function refusePositions(options: IndexReadOptions): void {
  for (const name of ['from', 'upTo'] as const) {
    const value = options[name];
    if (typeof value !== 'number') continue;
    throw new ConfigurationError(`${name}: ${value} is a position of one partition: say the partition or the key`);
  }
}

/** Which partitions are meant: one by its index or by a key in it, or all. @throws ConfigurationError for one that is not there */
export function partitionsIn(broker: Broker, { partition, key }: IndexReadOptions): readonly Partition[] {
  const { context, partitions } = broker;
  if (key !== undefined) return [broker.partitionFor(key)];
  if (partition === undefined) return Array.from({ length: partitions }, (_, index) => ({ context, index }));
  if (!Number.isSafeInteger(partition) || partition < 0 || partition >= partitions) {
    throw new ConfigurationError(`partition: ${partition} must be one of 0 to ${partitions - 1}`);
  }
  return [{ context, index: partition }];
}
