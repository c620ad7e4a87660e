import { programOf } from '../support/program-of.js';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { Worker } from '../support/worker.js';

const GATHERER = programOf('gatherer-process');
const WHOLES = 60;
const PARTS = 5;

describe('an aggregate', () => {
  it('loses nothing and counts nothing twice, however often its processes are killed', async () => {
    const site = await redisSite({ partitions: 3 });
    await site.broker.declare();
    const expected = new Map(Array.from({ length: WHOLES }, (_, w) => [`w${w}`, [] as number[]]));
    for (let n = 0; n < WHOLES * PARTS; n++) {
      const whole = `w${(n * 7) % WHOLES}`;
      expected.get(whole)!.push(n);
      // Parts of one whole come from all partitions, under keys of their own.
      await site.write(['type', 'work.part', 'data', JSON.stringify({ whole, n }), 'partitionkey', `k${n}`], n % 3);
    }
    const gathered = async () => {
      const feeds = await Promise.all(
        [0, 1, 2].map((index) => site.store.readFeed({ context: 'work', index }, 0, 1_000)),
      );
      return feeds.flat().map(({ fields }) => {
        const { data } = JSON.parse(fields[1]!) as { data: { whole: string; numbers: number[] } };
        return data;
      });
    };
    let kills = 0;
    for (let before = -1; (await gathered()).length < WHOLES;) {
      // Two at a time: they share the partitions, and change the same aggregates.
      const workers = [Worker.start(site, {}, undefined, GATHERER), Worker.start(site, {}, undefined, GATHERER)];
      await eventually(async () => {
        const now = (await gathered()).length;
        expect(now >= WHOLES || now > before + 8).toBe(true);
      }, 30_000);
      before = (await gathered()).length;
      if (before >= WHOLES) break;
      for (const worker of workers) worker.signal('SIGKILL');
      await Promise.all(workers.map((worker) => worker.ended));
      kills++;
    }
    await eventually(async () => {
      for (const index of [0, 1, 2]) expect(await site.open(index)).toBe(0);
    });
    const wholes = await gathered();
    expect(wholes.map(({ whole }) => whole).toSorted()).toEqual([...expected.keys()].toSorted());
    for (const { whole, numbers } of wholes) {
      expect(numbers.toSorted((a, b) => a - b)).toEqual(expected.get(whole));
    }
    expect(kills).toBeGreaterThan(1);
    for (const index of [0, 1, 2]) expect(await site.deadLetters(index)).toEqual([]);
  }, 90_000);
});
