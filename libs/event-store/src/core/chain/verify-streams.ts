import type { EventIndex, Partition, PartitionStore } from '@millrace/broker';
import type { StreamIntegrity } from './stream-integrity.js';
import { verifyStream } from './verify-stream.js';

export interface VerifyProgress {
  /** Streams and events that have been looked at. */
  readonly streams: number;
  readonly events: number;
  /** Events of the feeds when it began, those of no stream included. */
  readonly total: number;
}

export interface VerifyAllOptions {
  /** Streams whose names begin with it and a hyphen. Default: all. */
  readonly category?: string;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/** Names that are held at once: the store is looked through once for each so many. */
const NAMES = 20_000;
/** Streams that are read at the same time. */
const WIDTH = 16;

type Reads = Pick<PartitionStore, 'readStream' | 'listIndexes' | 'head'>;

/** Verifies every stream of some partitions, by name; takes the same memory for any number of them. */
export async function* verifyStreams(
  store: Reads,
  partitions: readonly Partition[],
  { category, onProgress = () => undefined }: VerifyAllOptions = {},
): AsyncGenerator<StreamIntegrity, void, void> {
  const heads = await Promise.all(partitions.map((partition) => store.head(partition)));
  let progress: VerifyProgress = { streams: 0, events: 0, total: heads.reduce((sum, head) => sum + head, 0) };
  const advance = (streams: number, events: number): void => {
    progress = { ...progress, streams: progress.streams + streams, events: progress.events + events };
    onProgress(progress);
  };
  for (const partition of partitions) {
    for await (const names of streamsIn(store, partition, category)) {
      for (let i = 0; i < names.length; i += WIDTH) {
        const verifying = names
          .slice(i, i + WIDTH)
          .map((name) => verifyStream(store, partition, name, {}, (events) => advance(0, events)));
        for (const verified of await Promise.all(verifying)) {
          advance(1, 0);
          yield verified;
        }
      }
    }
  }
}

async function* streamsIn(
  store: Reads,
  partition: Partition,
  category: string | undefined,
): AsyncGenerator<readonly string[], void, void> {
  const prefix = category === undefined ? '' : `${category}-`;
  for (let last: EventIndex | undefined; ;) {
    const page = await store.listIndexes(partition, NAMES, last);
    const streams = page.filter(({ kind }) => kind === 'stream').map(({ name }) => name);
    yield streams.filter((name) => name.startsWith(prefix));
    // Streams come before all others.
    if (streams.length < NAMES) return;
    last = page.at(-1);
  }
}
