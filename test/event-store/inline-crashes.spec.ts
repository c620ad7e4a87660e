import { EventStore, Projection, Projects, ReadView } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { programOf } from '../support/program-of.js';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROGRAM = programOf('inline-process');
const TILLS = [0, 1, 2, 3, 4, 5, 6].map((n) => `t${n}`);

@Event('work.paid', { key: 'till' })
class Paid {
  constructor(
    readonly till: string,
    readonly n: number,
  ) {}
}

/** Of all payments in their order. */
interface Row {
  readonly count: number;
  readonly trail: number;
}

const indexes = { count: ({ count }: Row) => count };

/** As the processes declare it, to read it. */
@Projection('tills', { mode: 'inline', indexes })
class Tills {
  @Projects(Paid) paid(): void {}
}

describe('processes that are killed in a storm of appends', () => {
  it('leave rows of an inline projection that are the fold of the events, with nobody running', async () => {
    const site = await redisSite({ partitions: 2 });
    await site.broker.declare();
    const events = new EventStore(site.broker, [Paid]);
    const view = new ReadView<Row, typeof indexes>(site.broker, Tills);
    const workers: Worker[] = [];
    const answered = (some: readonly Worker[]) =>
      some.flatMap(({ lines }) => lines.filter((line) => line.startsWith('done ')).map((line) => line.split(' ')));

    for (let round = 0; round < 3; round++) {
      const pair = [0, 1].map(() => Worker.start(site, {}, undefined, PROGRAM));
      workers.push(...pair);
      await eventually(() => {
        for (const worker of pair) expect(answered([worker]).length).toBeGreaterThan(40);
      }, 30_000);
      for (const worker of pair) worker.signal('SIGKILL');
      await Promise.all(pair.map((worker) => worker.ended));

      const stored = new Map<string, number>();
      const folded = new Map<string, Row>();
      for (const till of TILLS) {
        for await (const { data, version } of events.read({ category: 'till', id: till })) {
          const { n } = data as Paid;
          expect(stored.has(`${till} ${n}`)).toBe(false);
          stored.set(`${till} ${n}`, version!);
          const { count, trail } = folded.get(till) ?? { count: 0, trail: 7 };
          folded.set(till, { count: count + 1, trail: (trail * 31 + n) % 1_000_003 });
        }
      }
      for (const [, till, n, version] of answered(workers)) expect(stored.get(`${till} ${n}`)).toBe(Number(version));
      for (const till of TILLS) expect(await view.get(till)).toEqual(folded.get(till));
      const { rows } = await view.list({ index: 'count', limit: 100 });
      expect(rows.map(({ count }) => count)).toEqual(
        [...folded.values()].map(({ count }) => count).toSorted((a, b) => a - b),
      );
    }
  }, 120_000);
});
