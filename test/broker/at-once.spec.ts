import { randomUUID } from 'node:crypto';
import { Subscriber, Subscriptions, UnitOfWork } from '@millrace/broker';
import { eventually, onTestFinished } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

interface Work {
  readonly n: number;
  readonly how: 'nothing' | 'later' | 'state' | 'later-state' | 'fail-once' | 'fail-later-once';
}

const HOW: readonly Work['how'][] = [
  'nothing',
  'later',
  'state',
  'nothing',
  'later-state',
  'fail-once',
  'fail-later-once',
];

describe.each(SITES)('handlers that answer at once, beside those that do not, on %s', (_name, open) => {
  /** A handler that decides as its message says, and remembers in what order it was done. */
  function deciding(site: Site) {
    const done = new Map<string, number[]>();
    const failed = new Set<number>();
    const put = (key: string, value: string) => {
      const partition = site.inbox().partition;
      UnitOfWork.current()!.stage(partition, { writes: [{ kind: 'put', state: `of-${key}`, value }] });
    };
    const failOnce = (n: number) => {
      if (failed.has(n)) return;
      failed.add(n);
      throw new Error('once');
    };
    const later = async (n: number, key: string, how: Work['how']) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (how === 'fail-later-once') failOnce(n);
      if (how === 'later-state') put(key, `${n}`);
      done.set(key, [...(done.get(key) ?? []), n]);
    };
    const handle = ({ n, how }: Work, { envelope }: { envelope: { partitionkey?: string } }) => {
      const key = envelope.partitionkey!;
      if (how.includes('later')) return later(n, key, how);
      if (how === 'fail-once') failOnce(n);
      if (how === 'state') put(key, `${n}`);
      done.set(key, [...(done.get(key) ?? []), n]);
      return undefined;
    };
    return { done, handle };
  }

  it('keep the order of their key, whatever each of them does, and leave nothing behind', async () => {
    const site = await open();
    const { done, handle } = deciding(site);
    const keys = ['a', 'b', 'c'];
    const each = 70;
    for (let n = 0; n < each; n++) {
      for (const [k, key] of keys.entries()) {
        await site.say('work.do', { n, how: HOW[(n + k) % HOW.length] }, key);
      }
    }
    await site.start({ 'work.do': handle }, { retry: { delayMs: 1, jitter: 0 }, concurrency: 2 });
    await eventually(async () => expect(await site.open()).toBe(0));
    const expected = Array.from({ length: each }, (_, n) => n);
    for (const key of keys) expect(done.get(key)).toEqual(expected);
    expect(await site.deadLetters()).toEqual([]);
    for (const [k, key] of keys.entries()) {
      const last = expected.filter((n) => HOW[(n + k) % HOW.length]!.includes('state')).at(-1);
      expect((await site.store.readState(site.inbox().partition, `of-${key}`))?.value).toBe(`${last}`);
    }
  });

  it('are called once, also when it turns out that there is more to wait for', async () => {
    const site = await open();
    const { passed, open: finish } = gate();
    let calls = 0;
    await site.start({
      'work.do': () => {
        calls++;
        return passed;
      },
    });
    await site.say('work.do', {}, 'k');
    await site.say('work.do', {}, 'k');
    await eventually(() => expect(calls).toBe(1));
    finish();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(calls).toBe(2);
  });

  it('have no place that others would have to wait for', async () => {
    const site = await open();
    const { passed, open: finish } = gate();
    const done: number[] = [];
    await site.start(
      {
        'work.wait': () => passed,
        'work.do': ({ n }: Work) => void done.push(n),
      },
      { concurrency: 2 },
    );
    await site.say('work.wait', {}, 'w');
    for (let n = 0; n < 20; n++) await site.say('work.do', { n }, 'k');
    await eventually(() => expect(done).toHaveLength(20));
    finish();
    await eventually(async () => expect(await site.open()).toBe(0));
  });

  it('do not keep events that no handler takes waiting, also when no place is left', async () => {
    const site = await open();
    const { passed, open: finish } = gate();
    const { partition } = site.inbox();
    const feed = { partition, log: 'feed' } as const;
    const subscriptions = new Subscriptions('work');
    subscriptions.add({ name: 'waits', type: 'work.begun', context: 'work', log: 'feed', handle: () => passed });
    const subscriber = new Subscriber(site.broker, subscriptions, { concurrency: 1, blockMs: 100 });
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
    const happen = (type: string, partitionkey: string) => {
      const event = { specversion: '1.0', id: randomUUID(), source: '/test', type, partitionkey, data: {} };
      return site.store.commit({
        partition,
        guards: [],
        writes: [{ kind: 'append', events: [JSON.stringify(event)] }],
      });
    };
    const unfinished = async () => {
      const { pending, waiting } = await site.store.backlog(feed, 'work');
      return pending + waiting;
    };
    await happen('work.begun', 'k');
    for (let n = 0; n < 20; n++) await happen('work.other', n % 2 === 0 ? 'k' : 'other');
    await eventually(async () => expect(await unfinished()).toBe(1));
    finish();
    await eventually(async () => expect(await unfinished()).toBe(0));
  });
});
