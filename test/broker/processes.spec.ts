import { UnitOfWork } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Handle } from '../support/site.js';
import { done, Worker } from '../support/worker.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const sorted = (events: readonly { n: number }[]): number[] => events.map(({ n }) => n).sort((a, b) => a - b);

/** What a worker does, in this process. */
const append: Handle = ({ n }: { n: number }, { entry }) => {
  const events = [JSON.stringify({ n, pid: process.pid })];
  UnitOfWork.current()!.stage(entry.source.partition, { writes: [{ kind: 'append', stream: 'done', events }] });
};

describe('a process that is killed', () => {
  it('leaves every message with one transition, and its successor begins long before the lease has expired', async () => {
    const site = await redisSite();
    const leaseTtlMs = 30_000;
    const doomed = Worker.start(site, { concurrency: 16, leaseTtlMs });
    await doomed.said('ready');
    for (const n of numbers(200)) await site.say('work.do', { n, slowMs: 50 });
    let first: number | undefined;
    await site.start(
      { 'work.do': (data, context) => ((first ??= performance.now()), append(data, context)) },
      { leaseTtlMs },
    );
    await eventually(async () => expect((await done(site)).length).toBeGreaterThan(40));
    expect(first).toBeUndefined();
    const killed = performance.now();
    doomed.signal('SIGKILL');
    await eventually(async () => expect(await site.open()).toBe(0));
    const events = await done(site);
    expect(sorted(events)).toEqual(numbers(200));
    expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([doomed.pid, process.pid]));
    expect(first! - killed).toBeLessThan(5_000);
    expect(await site.deadLetters()).toEqual([]);
  });
});

describe('a message that ends its process', () => {
  it('is dead-lettered after so many beginnings, and its neighbours are handled', async () => {
    const site = await redisSite();
    const settings = { concurrency: 8, retry: { deliveries: 3 } };
    for (const n of numbers(10)) await site.say('work.do', { n, slowMs: 20 });
    await site.say('work.do', { n: -1, act: 'abort' }, 'k');
    for (const n of numbers(30)) await site.say('work.do', { n: n + 10, slowMs: 20 }, n === 0 ? 'k' : undefined);

    let beginnings = 0;
    for (let processes = 0; processes < 6 && (await site.deadLetters()).length === 0; processes++) {
      const worker = Worker.start(site, settings);
      const dead = async () => expect((await site.deadLetters()).length).toBeGreaterThan(0);
      await Promise.race([worker.ended, eventually(dead)]);
      beginnings += worker.lines.filter((line) => line === 'begin -1').length;
    }
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(sorted(await done(site))).toEqual(numbers(40));
    expect(await site.deadLetters()).toMatchObject([
      {
        reason: 'crashed',
        error: expect.stringContaining('begun alone 1 times, and each time the process ended first'),
        group: 'work',
        fields: ['type', 'work.do', 'data', '{"n":-1,"act":"abort"}', 'partitionkey', 'k'],
      },
    ]);
    expect(beginnings).toBe(3);
  }, 60_000);
});

describe('a process that is frozen', () => {
  it('is taken over when its lease has expired, and what it then commits is refused', async () => {
    const site = await redisSite();
    const leaseTtlMs = 400;
    const zombie = Worker.start(site, { leaseTtlMs });
    await zombie.said('ready');
    await site.say('work.do', { n: 0, slowMs: 200 });
    await zombie.said('begin 0');
    zombie.signal('SIGSTOP');
    await site.start({ 'work.do': append }, { leaseTtlMs });
    await eventually(async () => expect(await done(site)).toEqual([{ n: 0, pid: process.pid }]));
    zombie.signal('SIGCONT');
    // Awake again, it must not take messages either: nobody would look for them.
    await site.say('work.do', { n: 1 });
    await zombie.said('end 0');
    await eventually(async () => expect(await site.open()).toBe(0));
    // It answers SIGTERM when its commit has been answered.
    zombie.signal('SIGTERM');
    expect(await zombie.ended).toBe(0);
    // Awake, it is a member again, and the partition may by right have become its share before the second message came.
    expect(await done(site)).toEqual([
      { n: 0, pid: process.pid },
      { n: 1, pid: expect.any(Number) },
    ]);
    expect(await site.deadLetters()).toEqual([]);
  });
});
