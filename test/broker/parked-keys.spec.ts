import { DeadLetters, NonRetryableError, Subscriptions } from '@millrace/broker';
import type { KeptLetter } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { redisSite, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';
import { done, Worker } from '../support/worker.js';

const PARK = { onFailure: 'park-key', blockMs: 50 } as const;

interface Work {
  readonly n: number;
}

function deadLettersOf(site: Site): DeadLetters {
  return new DeadLetters(site.broker, new Subscriptions(site.context));
}

/** Handlers that fail for these numbers, as long as they stand here. */
function failingFor(failing: Set<number>) {
  const seen: string[] = [];
  const handlers = {
    'work.do': ({ n }: Work, { envelope: { partitionkey = 'none' } }: { envelope: { partitionkey?: string } }) => {
      if (failing.has(n)) throw new NonRetryableError(`not ${n}`);
      seen.push(`${partitionkey}${n}`);
    },
  };
  return { seen, handlers };
}

async function sayAll(site: Site, key: string | undefined, ...numbers: number[]): Promise<void> {
  for (const n of numbers) await site.say('work.do', { n }, key);
}

describe.each(SITES)('a key whose message was given up on %s', (_name, open) => {
  it('is held back, other keys are not; when it is redriven the rest follows in order, before what is newer', async () => {
    const site = await open();
    const failing = new Set([1]);
    const { seen, handlers } = failingFor(failing);
    const deadLetters = deadLettersOf(site);
    const first = await site.start(handlers, PARK);
    await sayAll(site, 'a', 0, 1, 2, 3);
    await sayAll(site, 'b', 4, 5);
    await eventually(async () => expect(await deadLetters.count()).toBe(3));
    await eventually(() => expect(seen).toEqual(['a0', 'b4', 'b5']));
    const { letters } = await deadLetters.list();
    expect(letters.map(({ reason, key, attempts }) => [reason, key, attempts])).toEqual([
      ['non-retryable', 'a', 1],
      ['parked', 'a', 0],
      ['parked', 'a', 0],
    ]);
    const [head, second] = letters.map(({ id }) => id);
    expect(await deadLetters.redrive(second!)).toEqual({ status: 'parked', behind: head });

    // The next process knows it, too.
    await first.stop();
    await site.start(handlers, PARK);
    await sayAll(site, 'a', 6);
    await eventually(async () => expect(await deadLetters.count({ reason: 'parked' })).toBe(3));
    failing.clear();
    const redriving = deadLetters.redriveAll();
    for (const n of [7, 8, 9]) await site.say('work.do', { n }, 'a');
    expect(await redriving).toBe(1);
    await eventually(() => expect(seen).toHaveLength(10));
    expect(seen.slice(3)).toEqual(['a1', 'a2', 'a3', 'a6', 'a7', 'a8', 'a9']);
    await eventually(async () =>
      expect(await site.store.readParked(site.inbox().partition, 'work')).toEqual(new Map()),
    );
    await sayAll(site, 'a', 10);
    await eventually(() => expect(seen.at(-1)).toBe('a10'));
    expect(await deadLetters.count()).toBe(0);
  });

  it('is held back again when what follows fails, and goes on when the one in front is discarded', async () => {
    const site = await open();
    const failing = new Set([0, 2]);
    const { seen, handlers } = failingFor(failing);
    const deadLetters = deadLettersOf(site);
    await site.start(handlers, PARK);
    await sayAll(site, 'a', 0, 1, 2, 3);
    await eventually(async () => expect(await deadLetters.count()).toBe(4));
    failing.delete(0);
    await deadLetters.redriveAll();
    await eventually(() => expect(seen).toEqual(['a0', 'a1']));
    await eventually(async () => expect(await deadLetters.count({ reason: 'non-retryable' })).toBe(1));
    const { letters } = await deadLetters.list();
    const error = Object.fromEntries(letters.map((letter) => [letter.error, letter]));
    expect(error['not 2']).toMatchObject({ redriven: 0, attempts: 1 });
    expect(await deadLetters.count({ reason: 'parked' })).toBe(1);
    expect(await deadLetters.discard(error['not 2']!.id)).toBe(true);
    await eventually(() => expect(seen).toEqual(['a0', 'a1', 'a3']));
    expect(await deadLetters.count()).toBe(0);
  });

  it('is free when what held it back was removed past us', async () => {
    const site = await open();
    const { seen, handlers } = failingFor(new Set([0]));
    const first = await site.start(handlers, PARK);
    await sayAll(site, 'a', 0, 1, 2);
    const deadLetters = deadLettersOf(site);
    await eventually(async () => expect(await deadLetters.count()).toBe(3));
    await first.stop();
    const [head] = await site.deadLetters();
    await site.store.commit({
      partition: site.inbox().partition,
      guards: [],
      writes: [{ kind: 'discard', id: (head as KeptLetter).id }],
    });
    await site.start(handlers, PARK);
    await eventually(() => expect(seen).toEqual(['a1', 'a2']));
  });

  it('does not exist for messages without one', async () => {
    const site = await open();
    const { seen, handlers } = failingFor(new Set([0]));
    await site.start(handlers, PARK);
    await sayAll(site, undefined, 0, 1);
    await site.write(['hello', 'world']);
    await eventually(async () => expect(await deadLettersOf(site).count()).toBe(2));
    await eventually(() => expect(seen).toEqual(['none1']));
    expect(await site.store.readParked(site.inbox().partition, 'work')).toEqual(new Map());
  });

  it('cannot be held back without order', async () => {
    const site = await open();
    const unordered = site.subscriber({ 'work.do': () => undefined }, { ...PARK, ordering: 'none' });
    await expect(unordered.start()).rejects.toMatchObject({ code: 'configuration' });
  });
});

it('a key keeps its order while the processes that park and redrive are killed', async () => {
  const site = await redisSite();
  const deadLetters = deadLettersOf(site);
  const settings = { ...PARK, concurrency: 4, leaseTtlMs: 1_000 };
  const say = (n: number, act?: string) => site.say('work.do', { n, slowMs: 5, act }, 'a');
  await say(0, 'fail');
  for (let n = 1; n <= 10; n++) await say(n);
  const kill = async (worker: Worker, when: () => Promise<void> | void): Promise<void> => {
    await eventually(when);
    worker.signal('SIGKILL');
    await worker.ended;
  };
  await kill(Worker.start(site, settings), async () =>
    expect(await deadLetters.count({ reason: 'parked' })).toBeGreaterThan(2),
  );
  for (let n = 11; n <= 15; n++) await say(n);
  await kill(Worker.start(site, settings), async () => expect(await deadLetters.count()).toBeGreaterThan(12));
  const home = site.inbox().partition;
  await site.store.commit({ partition: home, guards: [], writes: [{ kind: 'put', state: 'mended', value: '1' }] });
  const third = Worker.start(site, settings);
  const redriving = deadLetters.redriveAll();
  for (let n = 16; n <= 30; n++) await say(n);
  expect(await redriving).toBe(1);
  await kill(third, async () => expect((await done(site)).length).toBeGreaterThan(4));
  const fourth = Worker.start(site, settings);
  await kill(fourth, async () => expect((await done(site)).length).toBeGreaterThan(12));
  Worker.start(site, settings);
  await eventually(async () => expect(await done(site)).toHaveLength(31), 20_000);
  expect((await done(site)).map(({ n }) => n)).toEqual(Array.from({ length: 31 }, (_, n) => n));
  await eventually(async () => expect(await site.store.readParked(home, 'work')).toEqual(new Map()));
  expect(await deadLetters.count()).toBe(0);
}, 60_000);
