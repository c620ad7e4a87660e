import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeedArchive, PARTITION_STORE, withArchive } from '@millrace/broker';
import type { Partition, PartitionStore } from '@millrace/broker';
import { jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';
import { BucketArchiveStore, copy, orders } from './archive.js';

const partition: Partition = { context: 'order', index: 0 };

async function filled(): Promise<PartitionStore> {
  const store = await redisStore();
  await store.declareContext('order', 1);
  const events = Array.from({ length: 10 }, (_, n) => `{"n":${n}}`);
  await store.commit({ partition, guards: [], writes: [{ kind: 'append', stream: 'order-1', events }] });
  return store;
}

describe('the code of the guide to the archive', () => {
  it('gives a module a store that reads through its archive', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-guide-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    process.env['REDIS_URL'] = redisUrl();
    const app = await Test.createTestingModule({ imports: [orders(folder)] }).compile();
    onTestFinished(() => app.close());
    const store = app.get<PartitionStore>(PARTITION_STORE);
    expect(await store.readFeed({ context: 'nothing', index: 0 }, 0, 1)).toEqual([]);
    expect((await store.inspect()).server).not.toBe('');
  });

  it('keeps events in a bucket, and reads them from there', async () => {
    const objects = new Map<string, Uint8Array>();
    const bucket = new BucketArchiveStore({
      upload: async (key, bytes) => void objects.set(key, bytes),
      download: async (key) => objects.get(key),
      keys: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)),
    });
    const store = await filled();
    const whole = await store.readStream(partition, 'order-1');
    const archive = new FeedArchive(bucket);
    await archive.keep(await store.readFeed(partition, 0, 6), partition);
    await store.trim({ partition, log: 'feed' }, { streams: true, upTo: '0-6', limit: 100 });
    expect((await store.readFeed(partition, 0, 1))[0]!.id).toBe('0-7');
    expect(await withArchive(store, archive).readStream(partition, 'order-1')).toEqual(whole);
    expect(objects.size).toBe(1);
  });

  it('copies a context', async () => {
    const log = jest.spyOn(console, 'log').mockReturnValue();
    const [from, to] = [await filled(), await redisStore()];
    expect(await copy(from, to)).toEqual({ context: 'order', partitions: 1, events: 10, present: 0 });
    expect(await to.readStream(partition, 'order-1')).toEqual(await from.readStream(partition, 'order-1'));
    expect(log).toHaveBeenLastCalledWith('10 of 10');
    log.mockRestore();
  });
});
