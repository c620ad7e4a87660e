import { Projection, ProjectionControl, Projects, ReadView } from '@millrace/event-store';
import type { BuildRecord } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { programOf } from '../support/program-of.js';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROJECTOR = programOf('projector-process');
const KEYS = 40;
/** More than one batch in each partition. */
const EVENTS = 2_400;

@Event('work.counted', { key: 'key' })
class Counted {
  constructor(
    readonly key: string,
    readonly n: number,
  ) {}
}

interface Row {
  readonly version: number;
  readonly numbers: readonly number[];
}

const indexes = { length: (row: Row) => row.numbers.length };

/** As the processes declare it, to read it. */
@Projection('tally', { indexes })
class Tally {
  @Projects(Counted) counted(): void {}
}

function projectors(site: Site, version: number): readonly Worker[] {
  const settings = { version } as object;
  return [Worker.start(site, settings, undefined, PROJECTOR), Worker.start(site, settings, undefined, PROJECTOR)];
}

async function kill(workers: readonly Worker[]): Promise<void> {
  for (const worker of workers) worker.signal('SIGKILL');
  await Promise.all(workers.map((worker) => worker.ended));
}

describe('projections whose processes are killed', () => {
  it('have each event exactly once, also in builds that begin and switch meanwhile', async () => {
    const site = await redisSite({ partitions: 3 });
    await site.broker.declare();
    const control = new ProjectionControl(site.broker, { projection: 'tally', version: 1 });
    const next = new ProjectionControl(site.broker, { projection: 'tally', version: 2 });
    const view = new ReadView<Row, typeof indexes>(site.broker, Tally);
    const expected = new Map(Array.from({ length: KEYS }, (_, k) => [`k${k}`, [] as number[]]));
    let published = 0;
    const publish = async (count: number) => {
      const publishing: Promise<unknown>[] = [];
      for (let i = 0; i < count; i++, published++) {
        const key = `k${(published * 7) % KEYS}`;
        expected.get(key)!.push(published);
        publishing.push(site.publisher.publish(new Counted(key, published)));
      }
      await Promise.all(publishing);
    };
    const reached = async (build: string) => {
      const states = await Promise.all(
        [0, 1, 2].map((index) => site.store.readState({ context: 'work', index }, `checkpoint.${build}`)),
      );
      return states.reduce(
        (sum, state) => sum + (state ? (JSON.parse(state.value) as { position: number }).position : 0),
        0,
      );
    };
    /** Kills two processes when a build has got further than it was, and is not done; again and again. */
    const killWhile = async (version: number, build: string, from: number, rounds: number) => {
      let before = from;
      for (let kills = 0; kills < rounds; kills++) {
        const workers = projectors(site, version);
        await eventually(async () => expect(await reached(build)).toBeGreaterThan(before), 20_000);
        await kill(workers);
        before = await reached(build);
        expect(before).toBeLessThan(published);
        await publish(200);
      }
    };
    const building = async (): Promise<BuildRecord['building']> => (await control.record())?.building;
    const verify = async (version: number) => {
      const rows = await view.list();
      expect(rows.map(({ numbers }) => numbers).toSorted(([a], [b]) => a! - b!)).toEqual(
        [...expected.values()].toSorted(([a], [b]) => a! - b!),
      );
      expect(new Set(rows.map((row) => row.version))).toEqual(new Set([version]));
      const listed = await view.list({ index: 'length', limit: 1_000 });
      expect(listed.rows.map(({ numbers }) => numbers.length)).toEqual(
        [...expected.values()].map(({ length }) => length).toSorted((a, b) => a - b),
      );
    };

    await publish(EVENTS);
    await killWhile(1, 'tally.v1', 0, 3);
    let workers = projectors(site, 1);
    await control.waitFor(undefined, { timeoutMs: 20_000 });
    await verify(1);
    await kill(workers);

    const again = await control.rebuild();
    await killWhile(1, again, 0, 2);
    expect(await building()).toBe(again);
    workers = projectors(site, 1);
    await eventually(async () => expect(await building()).toBeUndefined(), 20_000);
    await publish(100);
    await control.waitFor(undefined, { timeoutMs: 20_000 });
    await verify(1);
    await kill(workers);

    await killWhile(2, 'tally.v2', 0, 2);
    expect(await control.record()).toMatchObject({ serving: again, building: 'tally.v2' });
    workers = projectors(site, 2);
    await eventually(async () => expect(await building()).toBeUndefined(), 20_000);
    await next.waitFor(undefined, { timeoutMs: 20_000 });
    await verify(2);
    await kill(workers);
  }, 120_000);
});
