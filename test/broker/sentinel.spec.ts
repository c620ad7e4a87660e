import { RedisPartitionStore, UnitOfWork } from '@millrace/broker';
import type { RedisStoreOptions } from '@millrace/broker';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { watchedRedis } from '../support/sentinel.js';
import { siteIn } from '../support/site.js';

const home = { context: 'work', index: 0 };

describe('behind Sentinel', () => {
  it('a service says that no Sentinel answers', async () => {
    const options = { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'millrace' };
    await expect(RedisPartitionStore.connect({ options })).rejects.toThrow(
      `no Sentinel of 'millrace' answers at 127.0.0.1:1`,
    );
  });

  it('consumption goes on, each message once, when a replica takes the place of a master that was killed', async () => {
    const redis = await watchedRedis();
    const options: RedisStoreOptions = { options: { sentinels: redis.sentinels, name: 'millrace' } };
    const store = await RedisPartitionStore.connect({ ...options, namespace: freshNamespace() });
    onTestFinished(() => store.close());
    const site = siteIn(store);
    await site.start({
      'work.do': ({ n }: { n: number }) =>
        UnitOfWork.current()!.stage(home, { writes: [{ kind: 'append', events: [`${n}`] }] }),
    });
    const send = (from: number, to: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: to - from }, (_, i) =>
          store.commit({
            partition: home,
            guards: [{ kind: 'command', id: `send-${from + i}`, result: '', ttlMs: 600_000 }],
            writes: [
              {
                kind: 'emit',
                to: home,
                message: JSON.stringify({ id: `${from + i}`, source: '/test', type: 'work.do', data: { n: from + i } }),
              },
            ],
          }),
        ),
      );
    const handled = async (count: number): Promise<void> => {
      await eventually(async () => {
        const done = (await store.readFeed(home, 0, 1_000)).map(({ fields }) => Number(fields[1]));
        expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
        expect(await site.open()).toBe(0);
      }, 20_000);
    };
    await send(0, 100);
    await handled(100);
    // A failover loses what the replica has not got.
    await redis.replicated();
    await redis.master.kill();
    await send(100, 200);
    await handled(200);
    expect(await site.deadLetters()).toEqual([]);
  }, 60_000);
});
