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
