import { SingleBar } from 'cli-progress';
import { FeedArchive, FileArchiveStore, withArchive } from '../core/archive/index.js';
import type { TransferProgress } from '../core/export/index.js';
import type { PartitionStore } from '../core/partition-store.js';
import { RedisPartitionStore } from '../redis/redis-partition-store.js';

/** Options of the commands that work on a Redis. */
export const STORE_OPTIONS = {
  redis: { type: 'string', default: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
  namespace: { type: 'string', default: 'millrace' },
  archive: { type: 'string' },
} as const;

export interface StoreTarget {
  readonly redis: string;
  readonly namespace: string;
  /** Folder of a {@link FileArchiveStore} through which events are read that are no longer in their feeds. */
  readonly archive?: string | undefined;
}

export async function withStore<T>(
  { redis, namespace, archive }: StoreTarget,
  work: (store: PartitionStore) => Promise<T>,
): Promise<T> {
  const store = await RedisPartitionStore.connect({ url: redis, namespace });
  try {
    return await work(
      archive === undefined ? store : withArchive(store, new FeedArchive(new FileArchiveStore(archive))),
    );
  } finally {
    await store.close();
  }
}

/** Shows a bar on standard error while something is done, when that is a terminal. */
export async function withBar<T>(
  what: string,
  work: (onProgress: (progress: TransferProgress) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return work(() => undefined);
  const format = `${what}  {bar}  {value}/{total} events  {eta_formatted}`;
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true });
  let started = false;
  try {
    return await work(({ events, total }) => {
      if (!started) bar.start(total, 0);
      started = true;
      bar.update(events);
    });
  } finally {
    if (started) bar.stop();
  }
}
