import { setTimeout as sleep } from 'node:timers/promises';
import type { Source, SubscriberSettings } from '@millrace/broker';
import { Redis } from 'ioredis';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate, redisSite } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';

function control(): Redis {
  const redis = new Redis(redisUrl());
  onTestFinished(async () => redis.disconnect());
  return redis;
}

type Pending = readonly [id: string, consumer: string, idleMs: number, deliveries: number];

async function pending(redis: Redis, site: Site): Promise<readonly Pending[]> {
  return (await redis.xpending(site.keys.log(site.inbox()), 'work', '-', '+', 100)) as unknown as Pending[];
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const ORDERINGS = [{ ordering: 'key' }, { ordering: 'none' }] as const;

describe.each(ORDERINGS)('a loop that reclaims what is idle ($ordering)', ({ ordering }) => {
  it('never takes what is in flight here, nor there, however long its handler runs', async () => {
    const redis = control();
    const site = await redisSite();
    const door = gate();
    const begun: number[] = [];
    const handle: Handle = async ({ n }: { n: number }) => {
      begun.push(n);
      await door.passed;
    };
    // Long enough for a loaded machine to renew it in time.
    const settings: SubscriberSettings = { ordering, leaseTtlMs: 1_000 };
    await site.start({ 'work.do': handle }, settings);
    await site.start({ 'work.do': handle }, settings);
    onTestFinished(async () => door.open());
    for (const n of numbers(6)) await site.say('work.do', { n }, `key-${n}`);
    await eventually(() => expect(begun).toHaveLength(6));
    // Three times to live: peers' loops would have taken each of them several times.
    await sleep(3_000);
    expect((await pending(redis, site)).map(([, , , deliveries]) => deliveries)).toEqual(numbers(6).map(() => 1));
    door.open();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun.sort()).toEqual(numbers(6));
  });
});

describe('a consumer that seems to be gone', () => {
  it('is not removed from its group with what it has pending (DELCONSUMER of a live consumer)', async () => {
    const redis = control();
    const site = await redisSite();
    const door = gate();
    const begun: number[] = [];
    const handle: Handle = async ({ n }: { n: number }) => {
      begun.push(n);
      if (n === 0) await door.passed;
    };
    // With one handler at a time and no room for more it stops to read, and looks as idle as one can.
    const settings: SubscriberSettings = {
      ordering: 'none',
      leaseTtlMs: 300,
      concurrency: 1,
      prefetch: 1,
      readCount: 1,
    };
    const busy = await site.start({ 'work.do': handle }, settings);
    onTestFinished(async () => door.open());
    await site.say('work.do', { n: 0 });
    await eventually(() => expect(begun).toEqual([0]));
    const other = await site.start({ 'work.do': handle }, settings);
    await sleep(3_000);
    expect((await pending(redis, site)).map(([, consumer]) => consumer)).toEqual(['worker-0']);
    door.open();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun).toEqual([0]);
    await other.stop();
    await site.say('work.do', { n: 1 });
    await eventually(() => expect(begun).toEqual([0, 1]));
    await busy.stop();
  });
});

describe('the groups of a service', () => {
  it('are all there before anything is read (groups not awaited)', async () => {
    const site = await redisSite({ partitions: 3 });
    const { store } = site;
    const create = store.createGroup.bind(store);
    const open = store.openReader.bind(store);
    const log: string[] = [];
    store.createGroup = async (source: Source, group: string) => {
      await sleep(20);
      const start = await create(source, group);
      log.push('created');
      return start;
    };
    store.openReader = () => {
      const reader = open();
      const read = reader.readGroup.bind(reader);
      reader.readGroup = (...request) => (log.push('read'), read(...request));
      return reader;
    };
    await site.start({ 'work.do': () => undefined });
    await eventually(() => expect(log).toContain('read'));
    expect(log.lastIndexOf('created')).toBeLessThan(log.indexOf('read'));
    // Three inboxes, and of each partition the log of the group's own.
    expect(log.filter((line) => line === 'created')).toHaveLength(6);
  });

  it.each(ORDERINGS)(
    'get what was published before their first start (group created at $) ($ordering)',
    async (order) => {
      const site = await redisSite();
      const seen: number[] = [];
      for (const n of numbers(5)) await site.say('work.do', { n });
      await site.start({ 'work.do': ({ n }: { n: number }) => void seen.push(n) }, order);
      await eventually(() => expect(seen).toEqual(numbers(5)));
    },
  );
});

describe.each(ORDERINGS)('a message whose handler failed ($ordering)', (order) => {
  it('is not acknowledged before it has succeeded (acks of a failed message)', async () => {
    const redis = control();
    const site = await redisSite();
    let attempts = 0;
    const handle: Handle = () => {
      if (++attempts < 3) throw new Error('not yet');
    };
    const subscriber = await site.start({ 'work.do': handle }, { ...order, retry: { delayMs: 300, factor: 1 } });
    await site.say('work.do', {});
    await eventually(() => expect(attempts).toBe(1));
    expect(await pending(redis, site)).toHaveLength(1);
    await subscriber.stop();
    expect(await pending(redis, site)).toHaveLength(1);
    await site.start({ 'work.do': handle }, { ...order, retry: { delayMs: 300, factor: 1 } });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(attempts).toBe(3);
    expect(await site.deadLetters()).toEqual([]);
  });
});

describe.each(ORDERINGS)('a read that waits ($ordering)', (order) => {
  it('keeps no command waiting (blocking reads on the shared client)', async () => {
    const redis = control();
    const site = await redisSite();
    await site.start({ 'work.do': () => undefined }, { ...order, blockMs: 5_000, leaseTtlMs: 60_000 });
    const waiting = async () => String(await redis.client('LIST')).includes('cmd=xreadgroup');
    await eventually(async () => expect(await waiting()).toBe(true));
    const began = performance.now();
    for (let i = 0; i < 20; i++) await site.store.head(site.inbox().partition);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('a process without a partition', () => {
  it('waits without asking Redis all the time (standby that polls)', async () => {
    const first = await redisSite();
    const sites = [first, await redisSite({ namespace: first.namespace })];
    const processes = sites.map((site) => {
      const counts = { asked: 0, beats: 0 };
      for (const method of ['acquireLease', 'attend', 'readPending'] as const) {
        const call = site.store[method].bind(site.store) as (...args: unknown[]) => Promise<never>;
        const counted = (...args: unknown[]) => {
          counts.asked++;
          if (method === 'attend') counts.beats++;
          return call(...args);
        };
        Object.assign(site.store, { [method]: counted });
      }
      return { subscriber: site.subscriber({ 'work.do': () => undefined }, { leaseTtlMs: 30_000 }), counts };
    });
    for (const { subscriber } of processes) await subscriber.start();
    // Who joins may be the one that the partition is for: after some beats of both it has moved, or never will.
    const settled = processes.map(({ counts }) => counts.beats + 4);
    await eventually(() => expect(processes.every(({ counts }, i) => counts.beats >= settled[i]!)).toBe(true));
    const standby = processes.filter(({ subscriber }) => [...subscriber.partitions.values()].flat().length === 0);
    expect(standby).toHaveLength(1);
    const { counts } = standby[0]!;
    const before = counts.asked;
    await sleep(2_100);
    expect(counts.asked - before).toBeLessThanOrEqual(3);
  });
});
