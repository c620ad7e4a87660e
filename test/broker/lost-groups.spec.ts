import { ownLog, UnitOfWork } from '@millrace/broker';
import type { Source } from '@millrace/broker';
import { Redis } from 'ioredis';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate, redisSite } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';

/** Beats, and so the positions that are stored, are a fifth of a second apart. */
const settings = { leaseTtlMs: 600 };

function control(): Redis {
  const redis = new Redis(redisUrl());
  onTestFinished(async () => redis.disconnect());
  return redis;
}

/** Remembers what it handled, in the store, once per commit. */
const append: Handle = ({ n }: { n: number }, { entry }) => {
  UnitOfWork.current()!.stage(entry.source.partition, {
    writes: [{ kind: 'append', stream: 's', events: [`${n}`] }],
  });
};

async function handled(site: Site): Promise<number[]> {
  const entries = await site.store.readFeed({ context: site.context, index: 0 }, 0, 10_000);
  return entries.map(({ fields }) => Number(fields[1]));
}

/** Resolves when the position of the inbox has been stored anew. */
async function stored(redis: Redis, site: Site): Promise<void> {
  const key = site.keys.retention(site.inbox().partition)[0]!;
  await redis.hdel(key, 'at in work');
  await eventually(async () => expect(await redis.hexists(key, 'at in work')).toBe(1));
}

describe('a group that is lost', () => {
  it('goes on where it was last seen, not at the beginning or the end', async () => {
    const redis = control();
    const site = await redisSite();
    await site.start({ 'work.do': append }, settings);
    for (const n of [0, 1, 2]) await site.say('work.do', { n });
    await eventually(async () => expect(await handled(site)).toEqual([0, 1, 2]));
    await stored(redis, site);
    await redis.multi().xgroup('DESTROY', site.keys.log(site.inbox()), 'work').exec();
    for (const n of [3, 4]) await site.say('work.do', { n });
    await eventually(async () => expect(await handled(site)).toEqual([0, 1, 2, 3, 4]));
  });

  it('gets what it had not acknowledged again, before anything new', async () => {
    const redis = control();
    const site = await redisSite();
    const door = gate();
    const seen: number[] = [];
    onTestFinished(async () => door.open());
    const stuck: Handle = async ({ n }: { n: number }) => (seen.push(n), door.passed);
    const first = await site.start({ 'work.do': stuck }, { ...settings, drainMs: 10 });
    for (const n of [0, 1]) await site.say('work.do', { n }, 'k');
    await eventually(() => expect(seen).toEqual([0]));
    await stored(redis, site);
    await redis.xgroup('DESTROY', site.keys.log(site.inbox()), 'work');
    await first.stop();
    await site.say('work.do', { n: 2 }, 'k');
    await site.start({ 'work.do': append }, settings);
    await eventually(async () => expect(await handled(site)).toEqual([0, 1, 2]));
  });

  it('begins anew when its log was lost, too', async () => {
    const redis = control();
    const site = await redisSite();
    const own: Source = { partition: site.inbox().partition, log: ownLog('work') };
    await site.start({ 'work.do': append }, settings);
    for (const n of [0, 1, 2]) await redis.xadd(site.keys.log(own), `9000000000000-${n}`, ...message(n));
    await eventually(async () => expect(await handled(site)).toEqual([0, 1, 2]));
    await eventually(async () => {
      const key = site.keys.retention(own.partition)[0]!;
      expect(await redis.hget(key, `at ${own.log} work`)).toContain('9000000000000-2');
    });
    await redis.del(site.keys.log(own));
    await redis.xadd(site.keys.log(own), '*', ...message(3));
    await eventually(async () => expect(await handled(site)).toEqual([0, 1, 2, 3]));
  });
});

const message = (n: number): string[] => ['type', 'work.do', 'data', JSON.stringify({ n })];
