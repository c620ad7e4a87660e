import { Event, MessageError } from '@millrace/messages';
import { ConfigurationError, NonRetryableError } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';

@Event('work.done')
class Done {
  constructor(readonly n: number) {}
}

const EXACT = { jitter: 0, factor: 1 };

describe.each(SITES)('a handler that fails on %s', (_name, open) => {
  it('is tried again after the wait, in the next process too, and its message is given up with the facts', async () => {
    const site = await open();
    const begun: { at: number; attempt: number }[] = [];
    const failing = {
      'work.do': (_data: unknown, { attempt }: { attempt: number }) => {
        begun.push({ at: Date.now(), attempt });
        throw new Error(`no answer ${attempt}`);
      },
    };
    const retry = { ...EXACT, delayMs: 300, attempts: 3 };
    const before = Date.now();
    await site.say('work.do', { n: 1 });
    const first = await site.start(failing, { retry });
    await eventually(() => expect(begun).toHaveLength(1));
    await eventually(async () => {
      const [entry] = await site.store.readPending(site.inbox(), 'work', '0', 1);
      expect(entry?.retry).toMatchObject({ attempts: 1, error: 'no answer 1' });
    });
    await first.stop();
    await site.start(failing, { retry });
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(1));

    expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    for (const i of [1, 2]) expect(begun[i]!.at - begun[i - 1]!.at).toBeGreaterThanOrEqual(299);
    const [letter] = await site.deadLetters();
    expect(letter).toMatchObject({
      reason: 'handler-failed',
      error: 'no answer 3',
      group: 'work',
      attempts: 3,
      fields: ['type', 'work.do', 'data', '{"n":1}'],
    });
    expect(letter!.first).toBeGreaterThanOrEqual(before);
    expect(letter!.last - letter!.first).toBeGreaterThanOrEqual(599);
    expect(await site.open()).toBe(0);
    expect(await site.store.readPending(site.inbox(), 'work', '0', 1)).toEqual([]);
  });

  it('is not tried again when no retry can help', async () => {
    const site = await open();
    const errors: Record<string, Error> = {
      'non-retryable': new NonRetryableError('never'),
      'card-declined': new NonRetryableError('never', { code: 'card-declined' }),
      'invalid-data': new MessageError('invalid-data', 'never'),
      configuration: new ConfigurationError('never'),
    };
    await site.start({
      'work.do': ({ code }: { code: string }) => {
        throw errors[code]!;
      },
    });
    for (const code of Object.keys(errors)) await site.say('work.do', { code });
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(4));
    const letters = await site.deadLetters();
    expect(letters.map(({ reason }) => reason).sort()).toEqual(Object.keys(errors).sort());
    expect(letters.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
  });

  it('may throw anything', async () => {
    const site = await open();
    await site.start(
      {
        'work.do': () => {
          throw undefined;
        },
      },
      { retry: { attempts: 1 } },
    );
    await site.say('work.do', {});
    await eventually(async () => expect(await site.deadLetters()).toMatchObject([{ error: 'undefined' }]));
  });

  it('holds back the messages of its key and no others, however many keys fail', async () => {
    const site = await open();
    const seen: string[] = [];
    let broken = true;
    await site.start(
      {
        'work.do': ({ key, n }: { key: string; n: number }) => {
          if (broken && n === 0 && key.startsWith('bad')) throw new Error('not yet');
          seen.push(`${key}/${n}`);
        },
      },
      { concurrency: 2, retry: { ...EXACT, delayMs: 100, attempts: 1_000 } },
    );
    const keys = ['bad1', 'bad2', 'bad3', 'good1', 'good2'];
    for (let n = 0; n < 4; n++) for (const key of keys) await site.say('work.do', { key, n }, key);
    await eventually(() => expect(seen).toHaveLength(8));
    expect(seen.every((each) => each.startsWith('good'))).toBe(true);
    broken = false;
    await eventually(() => expect(seen).toHaveLength(20));
    for (const key of keys) {
      expect(seen.filter((each) => each.startsWith(key))).toEqual([0, 1, 2, 3].map((n) => `${key}/${n}`));
    }
  });
});

describe.each(SITES)('messages of one key on %s', (_name, open) => {
  it('are handled in order, one at a time, while those of other keys go on', async () => {
    const site = await open();
    const seen = new Map<string, number[]>();
    const busy = new Set<string>();
    let together = 0;
    await site.start(
      {
        'work.do': async ({ key, n }: { key: string; n: number }) => {
          expect(busy.has(key)).toBe(false);
          busy.add(key);
          together = Math.max(together, busy.size);
          await new Promise((resolve) => setTimeout(resolve, (n * 7) % 5));
          busy.delete(key);
          seen.set(key, [...(seen.get(key) ?? []), n]);
        },
      },
      { retry: { attempts: 1 } },
    );
    await Promise.all(
      Array.from({ length: 10 }, async (_, k) => {
        for (let n = 0; n < 30; n++) await site.say('work.do', { key: `k${k}`, n }, `k${k}`);
      }),
    );
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await site.deadLetters()).toEqual([]);
    expect(together).toBeGreaterThan(1);
    for (const order of seen.values()) expect(order).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(seen.size).toBe(10);
  });

  it('keep their order when the lease is lost and regained while one is handled', async () => {
    const site = await open();
    const home = { context: 'work', index: 0 };
    const { passed, open: letGo } = gate();
    const begun: number[] = [];
    await site.start(
      {
        'work.do': async ({ n }: { n: number }) => {
          if (begun.push(n) === 1) await passed;
          await site.publisher.publish(new Done(n));
        },
      },
      { leaseTtlMs: 150 },
    );
    for (const n of [0, 1]) await site.say('work.do', { n }, 'k');
    await eventually(() => expect(begun).toEqual([0]));
    const other = { partition: home, group: 'work', owner: 'other', ttlMs: 1 };
    await site.store.releaseLease(home, 'work', 1);
    expect(await site.store.acquireLease(other)).toEqual({ held: true, epoch: 2 });
    await eventually(async () => expect(await site.store.acquireLease(other)).toMatchObject({ held: false }));
    await site.say('work.do', { n: 2 }, 'k');
    await new Promise((resolve) => setTimeout(resolve, 300));
    letGo();
    await eventually(async () => expect(await site.open()).toBe(0));
    const feed = await site.store.readFeed(home, 0, 100);
    expect(feed.map(({ fields }) => (JSON.parse(fields[1]!) as { data: Done }).data.n)).toEqual([0, 1, 2]);
    expect(begun).toEqual([0, 0, 1, 2]);
  });
});

describe.each(SITES)('a message that was delivered again and again on %s', (_name, open) => {
  it('is handled all the same: only a process that ended while handling it speaks against it', async () => {
    const site = await open();
    await site.store.createGroup(site.inbox(), 'work');
    const reader = site.store.openReader();
    for (let n = 0; n < 5; n++) await site.say('work.do', { n });
    await reader.readGroup('work', [site.inbox()], 10, 0);
    await reader.close();
    for (let i = 0; i < 20; i++) await site.store.readPending(site.inbox(), 'work', '0', 10);
    const seen: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => void seen.push(n) });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(await site.deadLetters()).toEqual([]);
  });
});

describe.each(SITES)('a subscriber that stops on %s', (_name, open) => {
  it('finishes what it has begun, however long that takes, and leaves the rest to the next', async () => {
    const site = await open();
    const { passed, open: letGo } = gate();
    const begun: number[] = [];
    const note = (n: number) => site.publisher.publish(new Done(n));
    const leaseTtlMs = 300;
    const slow = await site.start(
      {
        'work.do': async ({ n }: { n: number }) => {
          begun.push(n);
          await passed;
          await note(n);
        },
      },
      { concurrency: 2, leaseTtlMs },
    );
    for (let n = 0; n < 6; n++) await site.say('work.do', { n });
    await eventually(() => expect(begun).toEqual([0, 1]));
    const stopped = slow.stop();
    const later: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => (later.push(n), note(n)) }, { leaseTtlMs });
    // Longer than a lease lives: the next one must not take over what is still being finished.
    await new Promise((resolve) => setTimeout(resolve, leaseTtlMs * 2));
    expect(later).toEqual([]);
    letGo();
    await stopped;
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun).toEqual([0, 1]);
    expect(later.sort()).toEqual([2, 3, 4, 5]);
    const feed = await site.store.readFeed({ context: 'work', index: 0 }, 0, 100);
    const notes = feed.map(({ fields }) => (JSON.parse(fields[1]!) as { data: { n: number } }).data.n);
    expect(notes.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('can be stopped twice, and before it was started', async () => {
    const site = await open();
    const subscriber = site.subscriber({ 'work.do': () => undefined });
    await subscriber.stop();
    await subscriber.stop();
  });
});
