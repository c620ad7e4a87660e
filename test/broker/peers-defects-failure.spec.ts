import { Event } from '@millrace/messages';
import { DeadLetters, Subscriber, Subscriptions } from '@millrace/broker';
import { Redis } from 'ioredis';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

@Event('work.done', { key: 'key' })
class Done {
  constructor(
    readonly n: number,
    readonly key: string,
  ) {}
}

function control(): Redis {
  const redis = new Redis(redisUrl());
  onTestFinished(async () => redis.disconnect());
  return redis;
}

const begun = ({ lines }: Worker): number => lines.filter((line) => line.startsWith('begin')).length;

async function retryOf(site: Site) {
  const [entry] = await site.store.readPending(site.inbox(), 'work', '0', 1);
  return entry?.retry;
}

describe('a retry', () => {
  it('is seen by the group that failed alone, and nothing of its key overtakes it (XADD to the shared stream)', async () => {
    const redis = control();
    const site = await redisSite();
    const seen: Record<string, string[]> = { failing: [], other: [] };
    const subscriptions = new Subscriptions(site.context);
    const failures = new Map<number, number>();
    for (const group of ['failing', 'other']) {
      subscriptions.add({
        ...{ name: group, type: 'work.done', context: site.context, log: 'feed', group },
        handle: (data) => {
          const { n, key } = data as Done;
          const failed = failures.get(n) ?? 0;
          if (group === 'failing' && n % 3 === 0 && failed < 2) {
            failures.set(n, failed + 1);
            throw new Error('not yet');
          }
          seen[group]!.push(`${key}${n}`);
        },
      });
    }
    const retry = { delayMs: 10 };
    const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50, retry });
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
    for (let n = 0; n < 12; n++) await site.publisher.publish(new Done(n, n % 2 === 0 ? 'a' : 'b'));
    await eventually(() => expect(seen['failing']).toHaveLength(12));
    await eventually(() => expect(seen['other']).toHaveLength(12));
    for (const group of ['failing', 'other']) {
      for (const key of ['a', 'b']) {
        const numbers = seen[group]!.filter((each) => each.startsWith(key)).map((each) => Number(each.slice(1)));
        expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
      }
    }
    expect(await redis.xlen(site.keys.log({ partition: site.inbox().partition, log: 'feed' }))).toBe(12);
  });

  it('waits out what is left of its backoff in the next process, and its attempts are counted on, in no message (backoff lost at shutdown; attempts in the body)', async () => {
    const redis = control();
    const site = await redisSite();
    const settings = { retry: { attempts: 3, delayMs: 1_500, factor: 1, jitter: 0 } };
    await site.say('work.do', { n: 0, act: 'retry' }, 'k');
    const stopped = Worker.start(site, settings);
    await eventually(async () => expect(await retryOf(site)).toMatchObject({ attempts: 1 }));
    const { due } = (await retryOf(site))!;
    stopped.signal('SIGTERM');
    expect(await stopped.ended).toBe(0);
    expect(Date.now()).toBeLessThan(due);
    expect(await retryOf(site)).toMatchObject({ attempts: 1, due });

    const killed = Worker.start(site, settings);
    await eventually(async () => expect(await retryOf(site)).toMatchObject({ attempts: 2 }));
    expect(Date.now()).toBeGreaterThanOrEqual(due);
    killed.signal('SIGKILL');
    await killed.ended;
    expect([begun(stopped), begun(killed)]).toEqual([1, 1]);
    const entries = await redis.xrange(site.keys.log(site.inbox()), '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['type', 'work.do', 'data', '{"n":0,"act":"retry"}', 'partitionkey', 'k'],
    ]);

    const last = Worker.start(site, settings);
    await eventually(async () => expect(await site.deadLetters()).toMatchObject([{ attempts: 3 }]));
    expect(begun(last)).toBe(1);
    const [letter] = await site.deadLetters();
    expect(letter!.last - letter!.first).toBeGreaterThanOrEqual(2 * 1_500);
  }, 30_000);
});

describe('what nobody can read', () => {
  it('is put aside at once, and no later process sees it again (unparseable JSON reclaimed for ever)', async () => {
    const redis = control();
    const site = await redisSite();
    const handlers = { 'work.do': () => undefined };
    const first = await site.start(handlers);
    await site.write(['event', '{"type":"work.do",']);
    await site.say('work.do', {});
    await eventually(async () => expect(await site.deadLetters()).toMatchObject([{ reason: 'not-json', attempts: 0 }]));
    await eventually(async () => expect(await site.open()).toBe(0));
    await first.stop();
    for (let i = 0; i < 3; i++) await (await site.start(handlers)).stop();
    expect(await redis.xpending(site.keys.log(site.inbox()), 'work')).toEqual([0, null, null, null]);
    expect(await new DeadLetters(site.broker, new Subscriptions(site.context)).count()).toBe(1);
  });
});

describe('a handler that has begun', () => {
  it('is waited for at shutdown, with its commit (handlers abandoned at shutdown)', async () => {
    const site = await redisSite();
    const worker = Worker.start(site);
    await site.say('work.do', { n: 0, slowMs: 700 });
    await worker.said('begin 0');
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(worker.lines).toContain('end 0');
    expect(await site.open()).toBe(0);
    const { version } = await site.store.readStream(site.inbox().partition, 'done');
    expect(version).toBe(1);
  });
});
