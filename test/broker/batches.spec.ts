import { Event } from '@millrace/messages';
import { BatchError, inBatches, Subscriber, Subscriptions } from '@millrace/broker';
import type { BatchContext, BatchOptions, SubscriberSettings } from '@millrace/broker';
import { eventually, onTestFinished } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

@Event('work.done')
class Done {
  constructor(readonly n: number) {}
}

interface Work {
  readonly n: number;
  readonly key: string;
}

type Handle = (messages: readonly Work[], context: BatchContext) => Promise<void> | void;

/** A service whose handler of batches notes what it got. */
async function service(
  site: Site,
  batch: number | BatchOptions,
  handle: Handle = () => undefined,
  settings: SubscriberSettings = {},
) {
  const calls: number[][] = [];
  const subscriptions = new Subscriptions(site.context);
  subscriptions.add({
    ...{ name: 'worker', type: 'work.do', context: site.context, log: 'in' },
    ...inBatches('worker', batch, async (messages, context) => {
      calls.push((messages as Work[]).map(({ n }) => n));
      await handle(messages as Work[], context);
    }),
  });
  const retry = { attempts: 2, delayMs: 1, jitter: 0 };
  const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50, retry, ...settings });
  onTestFinished(() => subscriber.stop());
  return { calls, subscriber };
}

async function say(site: Site, n: number, key = `k${n}`, index = 0): Promise<void> {
  const data = JSON.stringify({ n, key });
  await site.write(['type', 'work.do', 'data', data, 'partitionkey', key], index);
}

async function settled(site: Site, partitions = 1): Promise<void> {
  for (let i = 0; i < partitions; i++) await eventually(async () => expect(await site.open(i)).toBe(0));
}

async function noted(site: Site): Promise<readonly number[]> {
  const feed = await site.store.readFeed({ context: 'work', index: 0 }, 0, 1_000);
  return feed.map(({ fields }) => (JSON.parse(fields[1]!) as { data: Done }).data.n);
}

describe.each(SITES)('a handler of batches on %s', (_name, open) => {
  it('gets many messages of one partition at once, in the order of their keys', async () => {
    const site = await open({ partitions: 2 });
    for (let n = 0; n < 60; n++) await say(site, n, `k${n % 7}`, n % 2);
    const { calls, subscriber } = await service(
      site,
      { size: 20, waitMs: 50 },
      (messages, { partition, ...context }) => {
        expect(context.messages.map(({ entry }) => entry.source.partition)).toEqual(messages.map(() => partition));
        expect(messages.map(({ n }) => n % 2)).toEqual(messages.map(() => partition.index));
        expect(context.messages.map(({ envelope }) => envelope.data)).toEqual(messages);
      },
    );
    await subscriber.start();
    await settled(site, 2);
    expect(calls.map(({ length }) => length).sort((a, b) => a - b)).toEqual([10, 10, 20, 20]);
    for (let k = 0; k < 7; k++) {
      const ofKey = (parity: number) => calls.flat().filter((n) => n % 7 === k && n % 2 === parity);
      for (const parity of [0, 1]) expect(ofKey(parity)).toEqual([...ofKey(parity)].sort((a, b) => a - b));
    }
    expect(await site.deadLetters()).toEqual([]);
  });

  it('gathers what comes while it is busy, and makes one commit of each batch', async () => {
    const site = await open();
    const { passed, open: letGo } = gate();
    const { calls, subscriber } = await service(site, 5, async (messages) => {
      await passed;
      for (const { n } of messages) await site.publisher.publish(new Done(n), { key: 'notes' });
    });
    const commits: number[] = [];
    const { commit } = site.store;
    site.store.commit = (each) => {
      commits.push(each.guards.filter(({ kind }) => kind === 'input').length);
      return commit.call(site.store, each);
    };
    await subscriber.start();
    await say(site, 0);
    await eventually(() => expect(calls).toEqual([[0]]));
    for (let n = 1; n < 8; n++) await say(site, n, 'hot');
    await eventually(async () => expect((await site.store.backlog(site.inbox(), 'work')).waiting).toBe(0));
    letGo();
    await settled(site);
    expect(calls).toEqual([[0], [1, 2, 3, 4, 5], [6, 7]]);
    expect(commits).toEqual([1, 5, 2]);
    expect(await noted(site)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('has those tried again alone that it says have failed; the others are done', async () => {
    const site = await open();
    for (let n = 0; n < 6; n++) await say(site, n);
    const attempts: string[] = [];
    const { calls, subscriber } = await service(site, { size: 10, waitMs: 50 }, async (messages, context) => {
      const failed: [object, Error][] = [];
      for (const [i, message] of messages.entries()) {
        attempts.push(`${message.n}/${context.messages[i]!.attempt}`);
        if (message.n === 1) context.fail(i, new Error('one'));
        else if (message.n === 4) failed.push([message, new Error('four')]);
        else await site.publisher.publish(new Done(message.n));
      }
      if (failed.length > 0) throw new BatchError(failed);
    });
    await subscriber.start();
    await settled(site);
    expect(calls[0]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(calls.slice(1).sort()).toEqual([[1], [4]]);
    expect(attempts.slice(6).sort()).toEqual(['1/2', '4/2']);
    expect(await noted(site)).toEqual([0, 2, 3, 5]);
    const letters = await site.deadLetters();
    expect(letters.map(({ error, attempts }) => `${error} ${attempts}`).sort()).toEqual(['four 2', 'one 2']);
  });

  it('that throws has each tried alone, so that a poison does not hold up its neighbours', async () => {
    const site = await open();
    for (let n = 0; n < 5; n++) await say(site, n);
    const { calls, subscriber } = await service(site, { size: 5, waitMs: 50 }, async (messages) => {
      for (const { n } of messages) await site.publisher.publish(new Done(n));
      if (messages.some(({ n }) => n === 2)) throw new Error('poison');
    });
    await subscriber.start();
    await settled(site);
    expect(calls[0]).toEqual([0, 1, 2, 3, 4]);
    expect(calls.slice(1).every(({ length }) => length === 1)).toBe(true);
    expect([...(await noted(site))].sort()).toEqual([0, 1, 3, 4]);
    expect(await site.deadLetters()).toMatchObject([{ error: 'poison', attempts: 2 }]);
  });

  it('keeps the order of a key whose message fails, while other keys go on', async () => {
    const site = await open();
    let broken = true;
    const { calls, subscriber } = await service(
      site,
      { size: 4, waitMs: 20 },
      async (messages, context) => {
        for (const [i, { n, key }] of messages.entries()) {
          if (broken && key === 'bad' && n === 0) context.fail(i, new Error('not yet'));
          else await site.publisher.publish(new Done(n), { key: 'notes' });
        }
      },
      { retry: { attempts: 1_000, delayMs: 20 } },
    );
    await subscriber.start();
    for (let n = 0; n < 12; n++) await say(site, n, n % 3 === 0 ? 'bad' : `k${n}`);
    await eventually(async () => expect(await noted(site)).toHaveLength(8));
    for (let n = 12; n < 15; n++) await say(site, n, 'bad');
    await say(site, 15);
    await eventually(async () => expect(await noted(site)).toContain(15));
    expect((await noted(site)).filter((n) => n % 3 === 0 && n < 12)).toEqual([]);
    broken = false;
    await settled(site);
    const bad = (await noted(site)).filter((n) => (n % 3 === 0 && n < 12) || (n >= 12 && n < 15));
    expect(bad).toEqual([0, 3, 6, 9, 12, 13, 14]);
    expect(await noted(site)).toHaveLength(16);
    expect(Math.max(...calls.map(({ length }) => length))).toBeGreaterThan(1);
  });

  it('is given up after its time, and leaves to the next process what was not settled when it is stopped', async () => {
    const site = await open();
    for (let n = 0; n < 3; n++) await say(site, n);
    let slow = true;
    const first = await service(
      site,
      { size: 3, waitMs: 50 },
      async (messages) => {
        if (!slow || messages.length === 1) return;
        await new Promise(() => undefined);
      },
      { handlerTimeoutMs: 100 },
    );
    await first.subscriber.start();
    await settled(site);
    expect(first.calls[0]).toEqual([0, 1, 2]);
    expect(first.calls.slice(1).flat().sort()).toEqual([0, 1, 2]);
    await first.subscriber.stop();

    slow = true;
    const endless = await service(site, 3, () => new Promise(() => undefined), { drainMs: 100 });
    await endless.subscriber.start();
    await say(site, 10);
    await eventually(() => expect(endless.calls).toHaveLength(1));
    await say(site, 11);
    await endless.subscriber.stop();
    slow = false;
    const next = await service(site, 3);
    await next.subscriber.start();
    await settled(site);
    expect(next.calls.flat().sort()).toEqual([10, 11]);
  });

  it('gets batches without order, too', async () => {
    const site = await open();
    for (let n = 0; n < 30; n++) await say(site, n, 'k');
    const { calls, subscriber } = await service(
      site,
      { size: 10, waitMs: 50 },
      (messages, context) => {
        for (const [i, { n }] of messages.entries())
          if (n === 7 && context.messages[i]!.attempt === 1) context.fail(i, 'no');
      },
      { ordering: 'none' },
    );
    await subscriber.start();
    await settled(site);
    expect(calls.map(({ length }) => length).sort()).toEqual([1, 10, 10, 10]);
    expect([...new Set(calls.flat())]).toHaveLength(30);
    expect(await site.deadLetters()).toEqual([]);
  });

  it('may have other handlers beside it in its group, in order', async () => {
    const site = await open();
    const seen: string[] = [];
    const subscriptions = new Subscriptions(site.context);
    const place = { context: site.context, log: 'in' } as const;
    subscriptions.add({
      ...{ name: 'many', type: 'work.do', ...place },
      ...inBatches('many', 10, (messages) => void seen.push(...(messages as Work[]).map(({ n }) => `do ${n}`))),
    });
    subscriptions.add({
      name: 'one',
      type: 'work.end',
      ...place,
      handle: (data) => void seen.push(`end ${(data as Work).n}`),
    });
    const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50 });
    onTestFinished(() => subscriber.stop());
    for (let n = 0; n < 10; n++) {
      await site.say(n % 4 === 3 ? 'work.end' : 'work.do', { n }, 'k');
    }
    await site.write(['hello', 'world']);
    await subscriber.start();
    await settled(site);
    expect(seen.map((each) => Number(each.split(' ')[1]))).toEqual(Array.from({ length: 10 }, (_, n) => n));
    expect(await site.deadLetters()).toMatchObject([{ reason: 'malformed' }]);
  });
});

describe('the declaration of a handler of batches', () => {
  it.each([0, 1.5, 1_001, Number.NaN])('refuses batches of %p', (size) => {
    expect(() => inBatches('x', size, () => undefined)).toThrow(/x has batches of/);
  });

  it('refuses a wait that is none', () => {
    expect(() => inBatches('x', { size: 1, waitMs: -1 }, () => undefined)).toThrow(/waitMs: -1/);
  });
});
