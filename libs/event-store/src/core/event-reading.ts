import { checkName, ConfigurationError } from '@millrace/broker';
import type { Broker, Entry, Partition } from '@millrace/broker';
import { checkReadOptions, merged, readPages } from './reading.js';
import type { IndexReadOptions, PlacedEvent, ReadNext, ReadOptions } from './reading.js';
import { checkWhole } from './stored-event.js';
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
  const versions = new Map<Entry, number>();
  const next: ReadNext = async (after, limit) => {
    const page = { limit, backwards, ...(after === undefined ? {} : { after }) };
    const slice = await broker.store.readStream(partition, name, page);
    checkWhole(partition, name, slice);
    const { version, entries } = slice;
    versions.clear();
    for (const entry of entries) versions.set(entry, entry.version);
    const end = backwards ? Math.min(after ?? Infinity, version + 1) - limit : (after ?? 0) + limit;
    return { entries, next: (backwards ? end <= 1 : end >= version) ? undefined : end };
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
  return across(broker, options, open, (partition, page) => broker.store.readTagged(partition, tag, page));
}

export function readCategory<E extends PlacedEvent>(
  broker: Broker,
  category: string,
  options: IndexReadOptions,
  open: OpenEvent<E>,
): Events<E> {
  checkName(category, 'category');
  return across(broker, options, open, (partition, page) => broker.store.readCategory(partition, category, page));
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
    return { entries, next: last && entries.length === limit ? Number(last.id.slice(2)) : undefined };
  });
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
