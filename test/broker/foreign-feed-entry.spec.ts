import { KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import type { Commit, Partition, Source } from '@millrace/broker';
import { Redis } from 'ioredis';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

const partition: Partition = { context: 'work', index: 0 };
const inbox: Source = { partition, log: 'in' };

describe('a feed into which somebody wrote by hand', () => {
  it('refuses commits that append before anything of them is written, until it is repaired', async () => {
    const namespace = freshNamespace();
    const keys = new KeyBuilder(namespace);
    const feed = keys.log({ partition, log: 'feed' });
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
    const redis = new Redis(redisUrl());
    onTestFinished(async () => {
      await store.close();
      redis.disconnect();
    });
    await store.commit({ partition, guards: [], writes: [{ kind: 'append', stream: 's', events: ['first'] }] });
    const foreign = await redis.xadd(feed, '*', 'type', 'work.done', 'data', '{}');

    await store.createGroup(inbox, 'g');
    await redis.xadd(keys.log(inbox), '*', 'type', 'work.do', 'data', '{}');
    const reader = store.openReader();
    onTestFinished(() => reader.close());
    const [entry] = await reader.readGroup('g', [inbox], 1, 0);
    const commit: Commit = {
      partition,
      guards: [
        { kind: 'command', id: 'c', result: 'r', ttlMs: 60_000 },
        { kind: 'input', entry: { source: inbox, id: entry!.id }, group: 'g' },
      ],
      writes: [
        { kind: 'put', state: 'state', value: 'v' },
        { kind: 'append', stream: 's', events: ['second'] },
      ],
    };
    await expect(store.commit(commit)).rejects.toThrow('written by hand. Nothing was written. Remove it with XDEL');
    expect(await store.backlog(inbox, 'g')).toEqual({ pending: 1, waiting: 0 });
    expect(await store.readState(partition, 'state')).toBeUndefined();
    expect(await store.readCommand(partition, 'c')).toBeUndefined();

    await redis.xdel(feed, foreign!);
    await redis.call('XSETID', feed, '0-1').catch(() => copied(redis, feed));
    expect(await store.commit(commit)).toEqual({ status: 'committed', appended: [{ position: 2, version: 2 }] });
    expect(await store.backlog(inbox, 'g')).toEqual({ pending: 0, waiting: 0 });
  });
});

/** The way out where XSETID may not go below a deleted entry: Redis 8 and Valkey. */
async function copied(redis: Redis, feed: string): Promise<void> {
  for (const [id, fields] of await redis.xrange(feed, '-', '+')) await redis.xadd(`${feed}-copy`, id, ...fields);
  await redis.rename(`${feed}-copy`, feed);
}
