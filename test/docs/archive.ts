/** The code of docs/guides/archive.md, region by region. The specs beside it compare, compile and run it. */

// #region module
import { BrokerModule, FeedArchive, FileArchiveStore } from '@millrace/broker';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

export const orders = (folder: string) =>
  BrokerModule.forRoot({
    context: 'order',
    redis: { url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
    retention: {
      feed: { maxAgeMs: YEAR_MS, archive: new FeedArchive(new FileArchiveStore(folder)) },
    },
  });
// #endregion

// #region store
import type { ArchiveStore } from '@millrace/broker';

/** A bucket, as clients of object stores have it. */
export interface Bucket {
  upload(key: string, bytes: Uint8Array): Promise<void>;
  download(key: string): Promise<Uint8Array | undefined>;
  keys(prefix: string): Promise<readonly string[]>;
}

export class BucketArchiveStore implements ArchiveStore {
  constructor(private readonly bucket: Bucket) {}

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.bucket.upload(key, bytes);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.bucket.download(key);
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.bucket.keys(prefix);
  }
}
// #endregion

// #region copy
import { Readable } from 'node:stream';
import { exportContext, importContext } from '@millrace/broker';
import type { Imported, PartitionStore } from '@millrace/broker';

export function copy(from: PartitionStore, to: PartitionStore): Promise<Imported> {
  return importContext(to, Readable.from(exportContext(from, 'order')), {
    onProgress: ({ events, total }) => console.log(`${events} of ${total}`),
  });
}
// #endregion
