import { partitionOf } from '@millrace/broker';
import type { Subscriber } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

/** A key of each of four partitions. */
const KEYS = [0, 1, 2, 3].map((index) => {
  for (let i = 0; ; i++) if (partitionOf(`k${i}`, 4) === index) return `k${i}`;
});

const shares = (...subscribers: Subscriber[]): string[][] =>
  subscribers.map(({ partitions }) => [...(partitions.get('work') ?? [])]);
const sizes = (...subscribers: Subscriber[]): number[] => shares(...subscribers).map(({ length }) => length);
const ALL = ['work/0', 'work/1', 'work/2', 'work/3'];

const say = (site: Site, index: number, n: number) =>
  site.write(['type', 'work.do', 'data', JSON.stringify({ n }), 'partitionkey', KEYS[index]!], index);

describe.each(SITES)('the processes of a service, in %s', (_name, open) => {
  const settings = { leaseTtlMs: 600 };
  const idle = { 'work.do': () => undefined };

  it('all have work when there are three and four partitions', async () => {
    const site = await open({ partitions: 4 });
    const all = [await site.start(idle, settings), await site.start(idle, settings), await site.start(idle, settings)];
    await eventually(() => expect(sizes(...all).sort()).toEqual([1, 1, 2]));
    expect(
      shares(...all)
        .flat()
        .sort(),
    ).toEqual(ALL);
  });

  it('move no partition but the surplus when one joins, and take over what one leaves', async () => {
    const site = await open({ partitions: 4 });
    const first = await site.start(idle, settings);
    expect(shares(first)).toEqual([ALL]);
    const second = await site.start(idle, settings);
    await eventually(() => expect(sizes(first, second)).toEqual([2, 2]));
    const before = shares(first, second);
    const third = await site.start(idle, settings);
    await eventually(() => expect(sizes(first, second, third).sort()).toEqual([1, 1, 2]));
    shares(first, second).forEach((held, i) => expect(before[i]).toEqual(expect.arrayContaining(held)));
    await first.stop();
    await third.stop();
    await eventually(() => expect(shares(second)).toEqual([ALL]));
  });

  it('have a place to wait when there are more of them than partitions', async () => {
    const site = await open({ partitions: 1 });
    const first = await site.start(idle, settings);
    const second = await site.start(idle, settings);
    await eventually(() => expect(sizes(first, second).sort()).toEqual([0, 1]));
    await first.stop();
    await eventually(() => expect(sizes(second)).toEqual([1]));
  });

  it('hand a partition over when what was begun there is finished; what waited is done by the next, in order', async () => {
    const site = await open({ partitions: 4 });
    const doors = KEYS.map(() => gate());
    const seen: string[] = [];
    const worker = (name: string) => ({
      'work.do': async ({ n }: { n: number }, { entry }: { entry: { source: { partition: { index: number } } } }) => {
        const { index } = entry.source.partition;
        seen.push(`${name} begins ${index}.${n}`);
        if (n === 0) await doors[index]!.passed;
        seen.push(`${name} ends ${index}.${n}`);
      },
    });
    const a = await site.start(worker('a'), settings);
    for (const index of [0, 1, 2, 3]) for (const n of [0, 1, 2]) await say(site, index, n);
    await eventually(() => expect(seen).toHaveLength(4));
    const b = await site.start(worker('b'), settings);
    const looks = countLooks(site);
    await eventually(() => expect(looks()).toBeGreaterThan(5));
    expect(sizes(a, b)).toEqual([4, 0]);
    for (const door of doors) door.open();
    await eventually(() => expect(sizes(a, b)).toEqual([2, 2]));
    await eventually(() => expect(seen.filter((line) => line.includes('ends'))).toHaveLength(12));
    for (const index of [0, 1, 2, 3]) {
      const by = shares(a, b)[0]!.includes(`work/${index}`) ? 'a' : 'b';
      expect(seen.filter((line) => line.includes(` ${index}.`))).toEqual([
        `a begins ${index}.0`,
        `a ends ${index}.0`,
        ...[1, 2].flatMap((n) => [`${by} begins ${index}.${n}`, `${by} ends ${index}.${n}`]),
      ]);
    }
  });
});

/** How often processes have looked who else consumes. */
function countLooks({ store }: Site): () => number {
  const attend = store.attend.bind(store);
  let looks = 0;
  store.attend = (request) => (looks++, attend(request));
  return () => looks;
}
