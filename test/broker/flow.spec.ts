import { randomUUID } from 'node:crypto';
import { ConfigurationError, Subscriber, Subscriptions } from '@millrace/broker';
import { eventually, onTestFinished } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Remembers what it was given. */
function recorder(): { readonly seen: number[]; readonly handle: Handle } {
  const seen: number[] = [];
  return { seen, handle: ({ n }: { n: number }) => void seen.push(n) };
}

const sayAll = (site: Site, ...ns: readonly number[]) =>
  Promise.all(ns.map((n) => site.say('work.do', { n }, `key-${n}`)));

/** Resolves when a new process has handled, for a group of its own, all that the paused one leaves: that had the time, too. */
async function othersHaveRead(site: Site, paused = 'work'): Promise<void> {
  const group = `witness-${randomUUID()}`;
  const subscriptions = new Subscriptions(site.context);
  let handled = 0;
  const handle = () => void handled++;
  subscriptions.add({ name: group, type: 'work.do', context: site.context, log: 'in', group, handle });
  const witness = new Subscriber(site.broker, subscriptions, { blockMs: 50 });
  const { pending, waiting } = await site.store.backlog(site.inbox(), paused);
  expect(pending + waiting).toBeGreaterThan(0);
  onTestFinished(() => witness.stop());
  await witness.start();
  await eventually(() => expect(handled).toBeGreaterThanOrEqual(pending + waiting));
}

describe.each(SITES)('consuming, in %s', (_name, open) => {
  it('goes on with other keys while more than a prefetch waits behind one, and keeps their order', async () => {
    const site = await open();
    const door = gate();
    onTestFinished(async () => door.open());
    const behind: number[] = [];
    const others = recorder();
    const handle: Handle = async ({ n, blocked }: { n: number; blocked?: boolean }, context) => {
      if (!blocked) return others.handle({ n }, context);
      if (n === 0) await door.passed;
      behind.push(n);
    };
    for (const n of numbers(150)) await site.say('work.do', { n, blocked: true }, 'k');
    for (const n of numbers(100)) await site.say('work.do', { n }, `key-${n}`);
    await site.start({ 'work.do': handle }, { prefetch: 40, readCount: 10, concurrency: 4 });
    await eventually(() => expect(others.seen).toHaveLength(100));
    expect(behind).toEqual([]);
    door.open();
    await eventually(() => expect(behind).toEqual(numbers(150)));
    await eventually(async () => expect(await site.open()).toBe(0));
  });

  it('handles all messages of a partition one after the other with ordering "partition", also past one that fails at first', async () => {
    const site = await open();
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    const handle: Handle = async ({ n }: { n: number }, { attempt }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, n % 3));
      running--;
      if (n === 10 && attempt < 3) throw new Error('not yet');
      seen.push(n);
    };
    for (const n of numbers(60)) await site.say('work.do', { n }, `key-${n}`);
    await site.start({ 'work.do': handle }, { ordering: 'partition', retry: { delayMs: 10 } });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(seen).toEqual(numbers(60));
    expect(most).toBe(1);
  });

  it('reads no more than so many bytes ahead', async () => {
    const site = await open();
    const door = gate();
    onTestFinished(async () => door.open());
    const handle: Handle = () => door.passed;
    for (const n of numbers(60)) await site.say('work.do', { n, text: 'x'.repeat(1_000) }, `key-${n}`);
    const settings = { concurrency: 2, prefetchBytes: 10_000, readCount: 4 };
    await site.start({ 'work.do': handle }, settings);
    await eventually(async () => expect((await site.store.backlog(site.inbox(), 'work')).pending).toBeGreaterThan(9));
    expect((await site.store.backlog(site.inbox(), 'work')).pending).toBeLessThan(20);
    door.open();
    await eventually(async () => expect(await site.open()).toBe(0));
  });

  it('begins nothing of a group that is paused, until it is resumed', async () => {
    const site = await open();
    const { seen, handle } = recorder();
    const subscriber = site.subscriber({ 'work.do': handle });
    subscriber.pause('work');
    await subscriber.start();
    await sayAll(site, 0, 1);
    await othersHaveRead(site);
    expect(seen).toEqual([]);
    subscriber.resume('work');
    await eventually(() => expect(seen.sort()).toEqual([0, 1]));
    subscriber.pause('work');
    await sayAll(site, 2, 3);
    await othersHaveRead(site);
    expect(seen).toHaveLength(2);
    subscriber.resume('work');
    subscriber.resume('work');
    await eventually(() => expect(seen.sort()).toEqual([0, 1, 2, 3]));
  });

  it('stays paused when it gets other partitions, and gives its own away all the same', async () => {
    const site = await open({ partitions: 2 });
    const settings = { leaseTtlMs: 600 };
    const [paused, other] = [recorder(), recorder()];
    const first = await site.start({ 'work.do': paused.handle }, settings);
    first.pause('work');
    for (const index of [0, 1]) {
      for (const n of [0, 1, 2])
        await site.write(['type', 'work.do', 'data', `{"n":${n}}`, 'partitionkey', 'k'], index);
    }
    const second = await site.start({ 'work.do': other.handle }, settings);
    await eventually(() => expect(other.seen).toEqual([0, 1, 2]));
    await second.stop();
    await eventually(() => expect(first.partitions.get('work')).toHaveLength(2));
    expect(paused.seen).toEqual([]);
    first.resume('work');
    await eventually(() => expect(paused.seen).toEqual([0, 1, 2]));
  });

  it('is paused and resumed by either of its names', async () => {
    const site = await open();
    const { seen, handle } = recorder();
    const subscriptions = new Subscriptions(site.context);
    const handler = { type: 'work.do', context: site.context, log: 'in', group: 'mailer' } as const;
    subscriptions.add({ ...handler, name: 'mail', handle });
    const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50 });
    onTestFinished(() => subscriber.stop());
    subscriber.pause('work.mailer');
    await subscriber.start();
    await sayAll(site, 0);
    subscriber.resume('mailer');
    await eventually(() => expect(seen).toEqual([0]));
    subscriber.pause('mailer');
    await sayAll(site, 1);
    await othersHaveRead(site, 'work.mailer');
    expect(seen).toEqual([0]);
    subscriber.resume('work.mailer');
    await eventually(() => expect(seen).toEqual([0, 1]));
  });

  it('cannot pause a group that no handler has', async () => {
    const site = await open();
    const subscriber = site.subscriber({ 'work.do': () => undefined });
    expect(() => subscriber.pause('mailer')).toThrow(ConfigurationError);
    expect(() => subscriber.resume('mailer')).toThrow("no handler has the group 'mailer': write one of 'work'");
  });

  it('begins no more than its rate, over all processes together', async () => {
    const site = await open({ partitions: 2 });
    const settings = { leaseTtlMs: 600, rate: { limit: 20, perMs: 500 } };
    const beginnings: number[] = [];
    const handle: Handle = () => void beginnings.push(performance.now());
    const both = [await site.start({ 'work.do': handle }, settings), await site.start({ 'work.do': handle }, settings)];
    await eventually(() => expect(both.map(({ partitions }) => partitions.get('work')!.length)).toEqual([1, 1]));
    for (const index of [0, 1]) {
      for (const n of numbers(30)) await site.write(['type', 'work.do', 'data', `{"n":${n}}`], index);
    }
    await eventually(() => expect(beginnings).toHaveLength(60));
    expect(beginnings.at(-1)! - beginnings[0]!).toBeGreaterThan(1_200);
    for (const since of beginnings) {
      expect(beginnings.filter((at) => at >= since && at < since + 500).length).toBeLessThan(26);
    }
  });
});
