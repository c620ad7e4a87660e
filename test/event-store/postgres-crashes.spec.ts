import { ProjectionControl } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { describeWithPostgres, freshDatabase, ownPostgres, poolOf } from '../support/postgres.js';
import { programOf } from '../support/program-of.js';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROJECTOR = programOf('postgres-projector-process');
const PARTITIONS = 3;
const KEYS = 40;
/** More than one batch in each partition. */
const EVENTS = 1_600;
const LONG_MS = 60_000;

@Event('work.counted', { key: 'key' })
class Counted {
  constructor(
    readonly key: string,
    readonly n: number,
  ) {}
}

/** Events, and what PostgreSQL should make of them. */
async function storm(postgres: string) {
  const site = await redisSite({ partitions: PARTITIONS });
  await site.broker.declare();
  const pool = poolOf(postgres);
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
  const start = (settings: object = {}) =>
    Worker.start(site, { postgres, ...settings } as object, undefined, PROJECTOR);
  const kill = async (workers: readonly Worker[]) => {
    for (const worker of workers) worker.signal('SIGKILL');
    await Promise.all(workers.map((worker) => worker.ended));
  };
  const rows = async (build: string) => {
    const found = await pool.query<{ key: string; version: number; numbers: number[] }>(
      `SELECT key, version, numbers FROM "work.${build}".numbers`,
    );
    return found.rows;
  };
  /** Events in the rows. */
  const reached = async (build: string) =>
    (await rows(build).catch(() => [])).reduce((sum, { numbers }) => sum + numbers.length, 0);
  const verify = async (build: string, version: number) => {
    const found = await rows(build);
    expect(new Map(found.map(({ key, numbers }) => [key, numbers]))).toEqual(expected);
    expect(new Set(found.map((row) => row.version))).toEqual(new Set([version]));
  };
  const control = (version = 1) => new ProjectionControl(site.broker, { projection: 'numbers', version });
  return { site, publish, published: () => published, start, kill, reached, verify, control };
}

describeWithPostgres('projections into PostgreSQL', () => {
  const server = ownPostgres();

  describe('whose processes are killed', () => {
    it('have each event exactly once, also in a build that begins and switches meanwhile', async () => {
      const { publish, published, start, kill, reached, verify, control } = await storm(await freshDatabase(server()));
      /**
       * Kills two processes when a build has got further than it was, and is not done; again and again. Those that were done
       * before they were killed do not count, and the next ones have more to do.
       */
      const killWhile = async (version: number, build: string, rounds: number) => {
        let before = 0;
        let more = 200;
        for (let kills = 0; kills < rounds;) {
          const workers = [start({ version }), start({ version })];
          await eventually(async () => expect(await reached(build)).toBeGreaterThan(before), LONG_MS);
          await kill(workers);
          before = await reached(build);
          if (before < published()) kills++;
          else more *= 2;
          expect(more).toBeLessThan(10_000);
          await publish(more);
        }
      };

      await publish(EVENTS);
      await killWhile(1, 'numbers.v1', 3);
      const workers = [start(), start()];
      await control().waitFor(undefined, { timeoutMs: LONG_MS });
      await verify('numbers.v1', 1);
      await kill(workers);

      await killWhile(2, 'numbers.v2', 2);
      start({ version: 2 });
      start({ version: 2 });
      await eventually(async () => expect((await control().record())?.serving).toBe('numbers.v2'), LONG_MS);
      await publish(100);
      await control(2).waitFor(undefined, { timeoutMs: LONG_MS });
      await verify('numbers.v2', 2);
    }, 240_000);

    it('go on when one of them is frozen in a transaction, and it comes back without harm', async () => {
      const { publish, start, reached, verify, control } = await storm(await freshDatabase(server()));
      await publish(EVENTS);
      const frozen = start({ idleMs: 1_000 });
      await eventually(async () => expect(await reached('numbers.v1')).toBeGreaterThan(0), LONG_MS);
      frozen.signal('SIGSTOP');
      start();
      await publish(200);
      await control().waitFor(undefined, { timeoutMs: LONG_MS });
      frozen.signal('SIGCONT');
      await publish(200);
      await control().waitFor(undefined, { timeoutMs: LONG_MS });
      await verify('numbers.v1', 1);
    }, 120_000);
  });

  describe('whose PostgreSQL is killed', () => {
    it('have each event exactly once when it is there again', async () => {
      const { publish, published, start, reached, verify, control } = await storm(await freshDatabase(server()));
      await publish(EVENTS);
      const workers = [start(), start()];
      for (let before = 0, kills = 0; kills < 2; kills++) {
        await eventually(async () => expect(await reached('numbers.v1')).toBeGreaterThan(before), LONG_MS);
        await server().kill();
        await server().start();
        before = await eventually(() => reached('numbers.v1'));
        expect(before).toBeLessThan(published());
        await publish(600);
      }
      await control().waitFor(undefined, { timeoutMs: LONG_MS });
      await verify('numbers.v1', 1);
      for (const worker of workers) expect(process.kill(worker.pid, 0)).toBe(true);
    }, 240_000);
  });
});
