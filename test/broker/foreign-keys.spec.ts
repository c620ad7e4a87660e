import { KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import type { CommitResult, Partition } from '@millrace/broker';
import { Redis } from 'ioredis';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

const partition: Partition = { context: 'work', index: 0 };
const other: Partition = { context: 'work', index: 1 };

interface Opened {
  readonly store: RedisPartitionStore;
  readonly keys: KeyBuilder;
  readonly redis: Redis;
}

async function open(): Promise<Opened> {
  const namespace = freshNamespace();
  const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    await store.close();
    redis.disconnect();
  });
  return { store, keys: new KeyBuilder(namespace), redis };
}

function append({ store }: Opened, to: Partition, stream: string, category: string): Promise<CommitResult> {
  return store.commit({
    partition: to,
    guards: [{ kind: 'version', stream, expected: 'none' }],
    writes: [{ kind: 'append', stream, category, events: ['e'] }],
  });
}

describe('appends that are sent together where a key holds something else', () => {
  it('fail alone, with nothing written, when it is their stream', async () => {
    const opened = await open();
    await opened.redis.set(opened.keys.stream(partition, 'a-1'), 'text');
    const [broken, whole] = await Promise.allSettled([
      append(opened, partition, 'a-1', 'a'),
      append(opened, partition, 'a-2', 'a'),
    ]);
    expect(broken).toMatchObject({
      reason: { message: expect.stringContaining('work/0 failed: WRONGTYPE') as string },
    });
    expect(whole).toMatchObject({ value: { appended: [{ position: 1, version: 1 }] } });
    expect(await opened.store.head(partition)).toBe(1);
  });

  it('fail with all of their category, with nothing written, when it is its list', async () => {
    const opened = await open();
    await opened.redis.set(opened.keys.category(partition, 'a'), 'text');
    const [broken, whole] = await Promise.allSettled([
      append(opened, partition, 'a-1', 'a'),
      append(opened, partition, 'b-1', 'b'),
    ]);
    expect(broken).toMatchObject({
      reason: { message: expect.stringContaining('work/0 failed: WRONGTYPE') as string },
    });
    expect(whole).toMatchObject({ value: { appended: [{ position: 1, version: 1 }] } });
    expect(await opened.store.readStream(partition, 'a-1')).toMatchObject({ version: 0 });
  });

  it('fail with all of their partition, with nothing written, when it is its feed', async () => {
    const opened = await open();
    await opened.redis.xadd(opened.keys.log({ partition, log: 'feed' }), '*', 'type', 'work.done', 'data', '{}');
    const [broken, whole] = await Promise.allSettled([
      append(opened, partition, 'a-1', 'a'),
      append(opened, other, 'a-2', 'a'),
    ]);
    expect(broken).toMatchObject({ reason: { message: expect.stringContaining('written by hand') as string } });
    expect(whole).toMatchObject({ value: { appended: [{ position: 1, version: 1 }] } });
    expect(await opened.store.readStream(partition, 'a-1')).toMatchObject({ version: 0 });
  });
});
