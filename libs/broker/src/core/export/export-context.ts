import { ArchiveError } from '../archive/archive-error.js';
import type { EventIndex } from '../event-index.js';
import { ConfigurationError, StoreUnavailableError } from '../errors.js';
import { addressOf } from '../partition.js';
import type { Entry, Partition } from '../partition.js';
import type { PartitionStore } from '../partition-store.js';
import { BlockWriter } from './export-block.js';
import { ExportError } from './export-error.js';
import type { ExportHeader, ExportLine } from './export-line.js';
import type { ExportPlace } from './export-place.js';

/** Events and positions that are read at once. */
const PAGE = 500;
/** Names that are held at once: the store is looked through once for each so many. */
const NAMES = 20_000;

export interface ExportOptions {
  /** Where an export that broke off goes on, see {@link placeOf}. */
  readonly from?: ExportPlace;
  readonly onProgress?: (progress: TransferProgress) => void;
}

export interface TransferProgress {
  /** Events that have been done, of so many. */
  readonly events: number;
  readonly total: number;
}

/**
 * The events of a context as NDJSON: every feed, with the streams, tags and categories of its events, as they were when the
 * export was begun. Gives whole blocks, each with its checksum; takes the same memory for any number of events. The same
 * events are the same bytes.
 *
 * Not in it: what has not been handled yet (inboxes, timers, dead letters), and what is made from events (views, snapshots).
 *
 * @throws ConfigurationError when there is no such context
 * @throws ArchiveError when events of it were archived, and this store does not read the archive
 */
export async function* exportContext(
  store: PartitionStore,
  context: string,
  { from, onProgress = () => undefined }: ExportOptions = {},
): AsyncGenerator<string> {
  const header = from?.header ?? (await headerOf(store, context));
  if (header.context !== context) {
    throw new ExportError(1, `this is an export of context '${header.context}', not of '${context}'`);
  }
  const writer = new BlockWriter(from?.sha256);
  const total = header.heads.reduce((sum, head) => sum + head, 0);
  let events = 0;
  for await (const line of from ? linesBehind(store, header, from.last) : linesFromStart(store, header)) {
    const block = writer.add(line);
    if (line.kind === 'event' || line.kind === 'removed') {
      const position = line.kind === 'event' ? line.position : line.to;
      events = header.heads.slice(0, line.partition).reduce((sum, head) => sum + head, position);
    }
    if (block === undefined) continue;
    onProgress({ events, total });
    yield block;
  }
  onProgress({ events: total, total });
  yield writer.end();
}

async function headerOf(store: PartitionStore, context: string): Promise<ExportHeader> {
  const partitions = await store.findContext(context);
  if (partitions === undefined) throw new ConfigurationError(`there is no context '${context}' in this namespace`);
  const heads = Array.from({ length: partitions }, (_, index) => store.head({ context, index }));
  return { context, heads: await Promise.all(heads) };
}

async function* linesFromStart(store: PartitionStore, header: ExportHeader): AsyncGenerator<ExportLine> {
  yield { kind: 'header', ...header };
  yield* partitionsFrom(store, header, 0);
}

/** What comes behind a line that has been written. */
async function* linesBehind(store: PartitionStore, header: ExportHeader, last: ExportLine): AsyncGenerator<ExportLine> {
  if (last.kind === 'header' || last.kind === 'block') return yield* partitionsFrom(store, header, 0);
  const partition: Partition = { context: header.context, index: last.partition };
  const head = header.heads[last.partition]!;
  if (last.kind === 'index') {
    const offset = last.offset + last.positions.length;
    yield* indexLines(store, partition, head, last.index, offset);
    yield* indexesBehind(store, partition, head, last.index);
  } else {
    yield* feedLines(store, partition, head, last.kind === 'event' ? last.position : last.to);
    yield* indexesBehind(store, partition, head);
  }
  yield* partitionsFrom(store, header, last.partition + 1);
}

async function* partitionsFrom(
  store: PartitionStore,
  { context, heads }: ExportHeader,
  first: number,
): AsyncGenerator<ExportLine> {
  for (let index = first; index < heads.length; index++) {
    yield* feedLines(store, { context, index }, heads[index]!, 0);
    yield* indexesBehind(store, { context, index }, heads[index]!);
  }
}

async function* feedLines(
  store: PartitionStore,
  partition: Partition,
  head: number,
  after: number,
): AsyncGenerator<ExportLine> {
  const { index } = partition;
  for (let last = after; last < head;) {
    const page = await store.readFeed(partition, last, PAGE);
    if (page.length === 0) throw setBack(partition, head);
    for (const { id, fields } of page) {
      const position = positionOf({ id }, partition);
      if (position > last + 1) {
        await checkNotArchived(store, partition, last + 1, position - 1);
        yield { kind: 'removed', partition: index, from: last + 1, to: Math.min(position - 1, head) };
      }
      last = position;
      if (position > head) break;
      yield { kind: 'event', partition: index, position, fields };
    }
  }
}

async function* indexesBehind(
  store: PartitionStore,
  partition: Partition,
  head: number,
  after?: EventIndex,
): AsyncGenerator<ExportLine> {
  for (let last = after; ;) {
    const names = await store.listIndexes(partition, NAMES, last);
    for (const index of names) yield* indexLines(store, partition, head, index, 0);
    if (names.length < NAMES) return;
    last = names.at(-1);
  }
}

async function* indexLines(
  store: PartitionStore,
  partition: Partition,
  head: number,
  index: EventIndex,
  from: number,
): AsyncGenerator<ExportLine> {
  for (let offset = from; ; offset += PAGE) {
    const page = await store.readPositions(partition, index, offset, PAGE);
    // Events that came after the export was begun are not in it.
    const positions = page.filter((position) => position <= head);
    if (positions.length > 0) yield { kind: 'index', partition: partition.index, index, offset, positions };
    if (positions.length < PAGE) return;
  }
}

/** An export that leaves events out without a word would be taken for a copy. */
async function checkNotArchived(store: PartitionStore, partition: Partition, from: number, to: number): Promise<void> {
  const archived = await store.archivedRange(partition);
  if (!archived || archived.from > to || archived.to < from) return;
  throw new ArchiveError(
    `events ${Math.max(from, archived.from)} to ${Math.min(to, archived.to)} of ${addressOf(partition)} were archived: export ` +
      `with the archive (--archive <folder>, or withArchive)`,
  );
}

function positionOf({ id }: Pick<Entry, 'id'>, partition: Partition): number {
  const [first, position] = id.split('-');
  if (first === '0') return Number(position);
  throw new ConfigurationError(
    `the feed ${addressOf(partition)} holds entry ${id}, which was written by hand: remove it with XDEL first`,
  );
}

function setBack(partition: Partition, head: number): StoreUnavailableError {
  return new StoreUnavailableError(
    `the feed ${addressOf(partition)} no longer goes to position ${head}: the store has been set back, begin anew`,
  );
}
