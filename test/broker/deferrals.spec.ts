import { Defer, RetryableError } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { SITES } from '../support/site.js';

interface Work {
  readonly n: number;
}

describe.each(SITES)('a message that its handler puts off on %s', (_name, open) => {
  it('comes when it is due, its key behind it, other keys before it, and has not failed', async () => {
    const site = await open();
    const seen: string[] = [];
    let due = 0;
    await site.start(
      {
        'work.do': ({ n }: Work, { envelope: { partitionkey }, attempt }) => {
          if (partitionkey === 'a' && n === 0 && !due) {
            due = Date.now() + 300;
            throw Defer.until(due);
          }
          if (partitionkey === 'a' && n === 0) expect(Date.now()).toBeGreaterThanOrEqual(due);
          seen.push(`${partitionkey}${n} attempt ${attempt}`);
        },
      },
      { retry: { attempts: 1 } },
    );
    for (const key of ['a', 'b']) for (const n of [0, 1]) await site.say('work.do', { n }, key);
    await eventually(() => expect(seen).toHaveLength(4));
    expect(seen).toEqual(['b0 attempt 1', 'b1 attempt 1', 'a0 attempt 1', 'a1 attempt 1']);
    expect(await site.deadLetters()).toEqual([]);
  });

  it('is still put off after a restart', async () => {
    const site = await open();
    const begun: number[] = [];
    let due = 0;
    const handlers = {
      'work.do': () => {
        begun.push(Date.now());
        if (begun.length === 1) throw Defer.until((due = Date.now() + 600));
      },
    };
    await site.say('work.do', {});
    const first = await site.start(handlers);
    await eventually(async () => {
      const [entry] = await site.store.readPending(site.inbox(), 'work', '0', 1);
      expect(entry?.retry).toMatchObject({ attempts: 0, due });
    });
    await first.stop();
    await site.start(handlers);
    await eventually(() => expect(begun).toHaveLength(2));
    expect(begun[1]).toBeGreaterThanOrEqual(due);
    await eventually(async () => expect(await site.open()).toBe(0));
  });

  it('does not keep its partition from a process that joins', async () => {
    const site = await open({ partitions: 2 });
    const begun: string[] = [];
    const handlers = (name: string) => ({
      'work.do': () => {
        begun.push(name);
        throw Defer.forMs(60_000);
      },
    });
    const first = await site.start(handlers('first'), { leaseTtlMs: 1_000 });
    for (const index of [0, 1]) {
      await site.write(['type', 'work.do', 'data', '{}', 'partitionkey', `k${index}`], index);
    }
    await eventually(() => expect(begun).toEqual(['first', 'first']));
    const second = await site.start(handlers('second'), { leaseTtlMs: 1_000 });
    await eventually(() => {
      for (const each of [first, second]) expect(each.partitions.get('work')).toHaveLength(1);
    });
    expect(begun).toEqual(['first', 'first']);
  });

  it('for hours leaves the room to others, and comes back in the order of its key', async () => {
    const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
    const site = await open({ clock });
    const seen: string[] = [];
    const hours = 3 * 3_600_000;
    const due = clock.now() + hours;
    await site.start(
      {
        'work.do': ({ n }: Work, { envelope: { partitionkey } }) => {
          if (n === 0 && clock.now() < due) throw Defer.until(due);
          seen.push(`${partitionkey} ${n}`);
        },
      },
      { prefetch: 4, concurrency: 2, readCount: 10 },
    );
    const late = Array.from({ length: 30 }, (_, i) => `late${i}`);
    for (const key of late) for (const n of [0, 1, 2]) await site.say('work.do', { n }, key);
    for (const n of [1, 2]) await site.say('work.do', { n }, 'other');
    await eventually(() => expect(seen).toEqual(['other 1', 'other 2']));
    const waiting = await site.store.readPending(site.inbox(), 'work', '0', 100);
    expect(waiting.filter(({ retry }) => retry?.due === due)).toHaveLength(30);
    clock.ahead = hours;
    await eventually(() => expect(seen).toHaveLength(2 + 90));
    for (const key of late) {
      expect(seen.filter((each) => each.startsWith(`${key} `))).toEqual([0, 1, 2].map((n) => `${key} ${n}`));
    }
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await site.deadLetters()).toEqual([]);
  });

  it('for hours and put off again, is let go of again', async () => {
    const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
    const site = await open({ clock });
    const begun: string[] = [];
    await site.start(
      {
        'work.do': (_work, { envelope: { partitionkey = '' } }) => {
          begun.push(partitionkey);
          if (partitionkey !== 'other' && begun.length < 20) throw Defer.forMs(3_600_000);
        },
      },
      { prefetch: 2, concurrency: 2 },
    );
    for (let n = 0; n < 9; n++) await site.say('work.do', {}, `late${n}`);
    await eventually(() => expect(begun).toHaveLength(9));
    clock.ahead = 3_600_001;
    await eventually(() => expect(begun).toHaveLength(18));
    await site.say('work.do', {}, 'other');
    await eventually(() => expect(begun[18]).toBe('other'));
    clock.ahead = 7_200_002;
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun.length).toBeGreaterThanOrEqual(28);
  });

  it('may say itself when it is to be tried again', async () => {
    const site = await open();
    const begun: number[] = [];
    await site.start(
      {
        'work.do': (_work, { attempt }) => {
          begun.push(Date.now());
          if (attempt === 1) throw new RetryableError('busy', { afterMs: 200 });
        },
      },
      { retry: { delayMs: 60_000 } },
    );
    await site.say('work.do', {});
    await eventually(() => expect(begun).toHaveLength(2));
    expect(begun[1]! - begun[0]!).toBeGreaterThanOrEqual(199);
  });
});
