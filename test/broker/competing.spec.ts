import { setTimeout as sleep } from 'node:timers/promises';
import { UnitOfWork, workerName } from '@millrace/broker';
import type { SubscriberSettings } from '@millrace/broker';
import { Redis } from 'ioredis';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate, redisSite, SITES } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';
import { done, Worker } from '../support/worker.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const settings: SubscriberSettings = { ordering: 'none', leaseTtlMs: 600 };

async function feed(site: Site): Promise<number[]> {
  const entries = await site.store.readFeed({ context: site.context, index: 0 }, 0, 100_000);
  return entries.map(({ fields }) => Number(JSON.parse(fields[1]!).n)).sort((a, b) => a - b);
}

/** Remembers in the store, once per commit. */
function append(n: number, entry: Parameters<Handle>[1]['entry']): void {
  const events = [JSON.stringify({ n })];
  UnitOfWork.current()!.stage(entry.source.partition, { writes: [{ kind: 'append', stream: 'done', events }] });
}

async function consumers(site: Site): Promise<string[]> {
  const redis = new Redis(redisUrl());
  const all = (await redis.xinfo('CONSUMERS', site.keys.log(site.inbox()), 'work')) as unknown[][];
  redis.disconnect();
  return all.map((info) => String(info[1])).sort();
}

describe.each(SITES)('without an order, in %s', (_name, open) => {
  it('several processes work on one partition, and on one key, at the same time', async () => {
    const site = await open();
    const door = gate();
    onTestFinished(async () => door.open());
    const busy = { a: 0, b: 0 };
    const handle =
      (name: 'a' | 'b'): Handle =>
      async ({ n }: { n: number }, { entry }) => {
        busy[name]++;
        await door.passed;
        append(n, entry);
      };
    const few = { ...settings, concurrency: 2, prefetch: 2, readCount: 2 };
    await site.start({ 'work.do': handle('a') }, few);
    await site.start({ 'work.do': handle('b') }, few);
    for (const n of numbers(12)) await site.say('work.do', { n }, 'k');
    await eventually(() => expect(busy).toEqual({ a: 2, b: 2 }));
    door.open();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await feed(site)).toEqual(numbers(12));
  });

  it('a handler that takes much longer than the lease keeps its message', async () => {
    const site = await open();
    const begun: string[] = [];
    const slow =
      (name: string): Handle =>
      async ({ n }: { n: number }, { entry }) => {
        begun.push(`${name} ${n}`);
        await sleep(1_500);
        append(n, entry);
      };
    const short = { ...settings, leaseTtlMs: 300 };
    await site.start({ 'work.do': slow('a') }, short);
    await site.start({ 'work.do': slow('b') }, short);
    for (const n of [0, 1]) await site.say('work.do', { n });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun).toHaveLength(2);
    expect(await feed(site)).toEqual([0, 1]);
  });

  it('what was left lying is taken over, and so is what a holder left when the group had an order', async () => {
    const site = await open();
    for (const n of numbers(4)) await site.say('work.do', { n });
    const { store } = site;
    await store.createGroup(site.inbox(), 'work');
    const reader = store.openReader();
    onTestFinished(() => reader.close());
    await reader.readGroup('work', [site.inbox()], 2, 0, workerName(7));
    await reader.readGroup('work', [site.inbox()], 1, 0);
    await site.start({ 'work.do': ({ n }: { n: number }, { entry }) => append(n, entry) }, settings);
    await eventually(async () => expect(await feed(site)).toEqual(numbers(4)));
  });

  it('a group that gets an order takes over what its consumers left', async () => {
    const site = await open();
    for (const n of numbers(4)) await site.say('work.do', { n });
    const { store } = site;
    await store.createGroup(site.inbox(), 'work');
    const reader = store.openReader();
    onTestFinished(() => reader.close());
    await reader.readGroup('work', [site.inbox()], 2, 0, workerName(0));
    await site.start({ 'work.do': ({ n }: { n: number }, { entry }) => append(n, entry) }, { leaseTtlMs: 300 });
    await eventually(async () => expect(await feed(site)).toEqual(numbers(4)));
  });

  it('a pause holds in one process, and the others go on', async () => {
    const site = await open();
    const seen: string[] = [];
    const handle =
      (name: string): Handle =>
      ({ n }: { n: number }) =>
        void seen.push(`${name} ${n}`);
    const first = await site.start({ 'work.do': handle('a') }, settings);
    first.pause('work');
    await site.start({ 'work.do': handle('b') }, settings);
    // The read that the pause found waiting brings one more, which the other takes over.
    for (const n of numbers(20)) await site.say('work.do', { n });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(seen.filter((line) => line.startsWith('b'))).toHaveLength(20);
    first.resume('work');
    for (let n = 20; !seen.some((line) => line.startsWith('a')); n++) await site.say('work.do', { n });
  });
});

describe('consumer names', () => {
  it('are used again by processes that start, so that there are never more than processes at a time', async () => {
    const site = await redisSite();
    for (let round = 0; round < 4; round++) {
      const handle: Handle = ({ n }: { n: number }, { entry }) => append(n, entry);
      const both = [
        await site.start({ 'work.do': handle }, settings),
        await site.start({ 'work.do': handle }, settings),
      ];
      await site.say('work.do', { n: round });
      await eventually(async () => expect(await site.open()).toBe(0));
      await Promise.all(both.map((subscriber) => subscriber.stop()));
    }
    expect((await consumers(site)).filter((name) => !['worker-0', 'worker-1'].includes(name))).toEqual([]);
  });

  it('of processes that are gone are removed by one that runs; what works on something keeps its own', async () => {
    const site = await redisSite();
    const short = { ...settings, leaseTtlMs: 150 };
    const door = gate();
    onTestFinished(async () => door.open());
    const quick: Handle = () => undefined;
    const slow: Handle = async ({ n }: { n: number }, { entry }) => {
      if (n === 1_000) await door.passed;
      append(n, entry);
    };
    const gone = await site.start({ 'work.do': quick }, short);
    await site.start({ 'work.do': slow }, short);
    // A consumer exists once it has been given something.
    for (let n = 0; (await consumers(site)).length < 2; n++) await site.say('work.do', { n });
    await gone.stop();
    await site.say('work.do', { n: 1_000 });
    await eventually(async () => expect(await consumers(site)).toEqual([workerName(1)]), 15_000);
    expect(await site.store.backlog(site.inbox(), 'work')).toMatchObject({ pending: 1 });
    door.open();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect((await feed(site)).filter((n) => n === 1_000)).toEqual([1_000]);
  });
});

describe('processes that compete', () => {
  it('and are killed or frozen leave every message with one commit', async () => {
    const site = await redisSite();
    const competing = { ...settings, concurrency: 4, prefetch: 8 };
    const workers = [0, 1, 2].map(() => Worker.start(site, competing));
    for (const worker of workers) await worker.said('ready');
    for (const n of numbers(120)) await site.say('work.do', { n, slowMs: 30 });
    const [first, second, third] = workers;
    await eventually(async () => expect((await done(site)).length).toBeGreaterThan(10));
    first!.signal('SIGKILL');
    second!.signal('SIGSTOP');
    for (const n of numbers(60)) await site.say('work.do', { n: n + 120, slowMs: 10 });
    await eventually(async () => expect(await site.open()).toBe(0), 20_000);
    second!.signal('SIGCONT');
    await site.say('work.do', { n: 180 });
    await eventually(async () => expect(await site.open()).toBe(0), 20_000);
    for (const worker of [second!, third!]) {
      worker.signal('SIGTERM');
      expect(await worker.ended).toBe(0);
    }
    expect((await done(site)).map(({ n }) => n).sort((a, b) => a - b)).toEqual(numbers(181));
    expect(await site.deadLetters()).toEqual([]);
  }, 60_000);

  it('and one of them ended by a message bury that message', async () => {
    const site = await redisSite();
    const competing = { ...settings, concurrency: 4, retry: { deliveries: 3 } };
    await site.say('work.do', { n: -1, act: 'abort' });
    for (const n of numbers(20)) await site.say('work.do', { n, slowMs: 5 });
    for (let processes = 0; processes < 6 && (await site.deadLetters()).length === 0; processes++) {
      const worker = Worker.start(site, competing);
      const dead = async () => expect((await site.deadLetters()).length).toBeGreaterThan(0);
      await Promise.race([worker.ended, eventually(dead)]);
    }
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await site.deadLetters()).toMatchObject([{ reason: 'crashed' }]);
    expect((await done(site)).map(({ n }) => n).sort((a, b) => a - b)).toEqual(numbers(20));
  }, 60_000);
});
