import { Broker, Publisher } from '@millrace/broker';
import {
  ExternalView,
  PostgresProjection,
  Projection,
  ProjectionControl,
  ProjectionRunner,
  Projects,
} from '@millrace/event-store';
import type { ParkedEvent, PostgresOptions, ProjectionStatus } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import type { Pool, PoolClient } from 'pg';
import { describeWithPostgres, freshDatabase, ownPostgres, poolOf } from '../support/postgres.js';
import { admin } from '../support/private-redis.js';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const LONG_MS = 20_000;

@Event('score.goal', { key: 'team' })
class Goal {
  constructor(
    readonly team: string,
    readonly n: number,
  ) {}
}

/** Goals by their numbers. A test says what else happens with one. */
@Projection('goals', { onFailure: 'park', attempts: 2 })
class Goals extends PostgresProjection<PoolClient> {
  constructor(
    pool: Pool,
    private readonly also: (n: number, db: PoolClient) => Promise<unknown> | void = () => undefined,
    options: PostgresOptions = {},
  ) {
    super(pool, options);
  }

  async create(db: PoolClient): Promise<void> {
    await db.query('CREATE TABLE goals (n integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, team text NOT NULL)');
    await db.query('CREATE TABLE counts (team text PRIMARY KEY, goals integer NOT NULL CHECK (goals < 1000))');
  }

  @Projects(Goal) async goal({ team, n }: Goal, db: PoolClient): Promise<void> {
    await db.query('INSERT INTO goals VALUES ($1, $2)', [n, team]);
    await db.query('INSERT INTO counts VALUES ($1, 1) ON CONFLICT (team) DO UPDATE SET goals = counts.goals + 1', [
      team,
    ]);
    await this.also(n, db);
  }
}

async function goals(url: string) {
  const namespace = freshNamespace();
  const broker = new Broker(await redisStore(namespace), { context: 'score', partitions: 1 });
  await broker.declare();
  const publisher = new Publisher(broker);
  const control = new ProjectionControl(broker, { projection: 'goals', version: 1 }, new Goals(poolOf(url)).database);
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n++) await publisher.publish(new Goal('ajax', n));
  };
  const failures: ProjectionStatus[] = [];
  const parked: ParkedEvent[] = [];
  const start = (projection: Goals) => {
    const told = {
      failed: (status: ProjectionStatus) => void failures.push(status),
      parked: (event: ParkedEvent) => void parked.push(event),
    };
    const runner = new ProjectionRunner(broker, Goals, projection, told);
    onTestFinished(() => runner.stop());
    runner.start();
    return runner;
  };
  const view = new ExternalView(broker, new Goals(poolOf(url)));
  /** Numbers of the goals, after checking that they were counted as often as they were written. */
  const numbers = () =>
    view.read(async (db) => {
      const { rows } = await db.query<{ n: number }>('SELECT n FROM goals ORDER BY n');
      const counted = await db.query<{ goals: number }>('SELECT goals FROM counts');
      expect(counted.rows[0]?.goals ?? 0).toBe(rows.length);
      return rows.map(({ n }) => n);
    });
  const caughtUp = () => control.waitFor(undefined, { timeoutMs: LONG_MS });
  return { broker, namespace, control, publish, start, failures, parked, numbers, caughtUp };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describeWithPostgres('a projection into PostgreSQL', () => {
  const server = ownPostgres();

  it('reads the checkpoint when the answer to COMMIT is lost, and has no event twice', async () => {
    const url = await freshDatabase(server());
    const proxy = await TcpProxy.open(url);
    const { publish, start, failures, numbers, caughtUp } = await goals(url);
    const through = url.replace(/127\.0\.0\.1:\d+/, proxy.url.replace('redis://', ''));
    await publish(1, 20);
    start(new Goals(poolOf(through)));
    await caughtUp();
    for (let round = 0; round < 3; round++) {
      const lost = proxy.loseReplyTo('COMMIT\0');
      await publish(21 + round * 10, 30 + round * 10);
      await lost;
    }
    await caughtUp();
    expect(await numbers()).toEqual(range(1, 50));
    expect(failures.some(({ failure }) => (failure?.error as { code?: string }).code === 'unknown-outcome')).toBe(true);
  }, 60_000);

  it('takes a batch again whose connection is lost within the transaction', async () => {
    const url = await freshDatabase(server());
    const proxy = await TcpProxy.open(url);
    const { publish, start, failures, parked, numbers, caughtUp } = await goals(url);
    const through = url.replace(/127\.0\.0\.1:\d+/, proxy.url.replace('redis://', ''));
    let cuts = 0;
    await publish(1, 20);
    start(new Goals(poolOf(through), (n) => (n === 13 && cuts++ < 3 ? proxy.cut() : undefined)));
    await caughtUp();
    expect(await numbers()).toEqual(range(1, 20));
    expect(parked).toEqual([]);
    expect(failures.map(({ failure }) => (failure!.error as { code?: string }).code)).toEqual(
      Array.from(failures, () => 'store-unavailable'),
    );
  }, 60_000);

  it('parks the event whose statement fails, and takes it up again', async () => {
    const url = await freshDatabase(server());
    let broken = true;
    const { publish, start, control, parked, numbers, caughtUp } = await goals(url);
    await publish(1, 20);
    const runner = start(new Goals(poolOf(url), (n, db) => (n === 7 && broken ? db.query('SELECT 1 / 0') : undefined)));
    await caughtUp();
    expect(await numbers()).toEqual(range(1, 20).filter((n) => n !== 7));
    expect(parked).toMatchObject([{ position: 7, attempts: 2, error: 'division by zero' }]);
    expect(await control.parked()).toEqual(parked);
    broken = false;
    expect(await runner.retry(parked[0]!)).toBeUndefined();
    expect(await runner.retry(parked[0]!)).toBeUndefined();
    expect(await numbers()).toEqual(range(1, 20));
    expect(await control.parked()).toEqual([]);
  }, 60_000);

  it.each<[string, (n: number, db: PoolClient) => Promise<unknown> | void, RegExp]>([
    [
      'breaks a constraint that is checked in the end',
      (n, db) => (n === 7 ? db.query("INSERT INTO goals VALUES (6, 'ajax')") : undefined),
      /duplicate key value/,
    ],
    [
      'ignores a statement that has failed',
      (n, db) => (n === 7 ? db.query('SELECT 1 / 0').catch(() => undefined) : undefined),
      /cannot be committed: a statement in it has failed, and its work has gone on/,
    ],
    [
      'ends the transaction',
      (n, db) => (n === 7 ? db.query('ROLLBACK') : undefined),
      /cannot be committed: its work has ended it, by COMMIT or ROLLBACK/,
    ],
  ])(
    'finds the event among others whose method %s',
    async (_, also, error) => {
      const url = await freshDatabase(server());
      const { publish, start, parked, numbers, caughtUp } = await goals(url);
      await publish(1, 20);
      start(new Goals(poolOf(url), also));
      await caughtUp();
      expect(await numbers()).toEqual(range(1, 20).filter((n) => n !== 7));
      expect(parked).toMatchObject([{ position: 7, error: expect.stringMatching(error) }]);
    },
    60_000,
  );

  it('stops when the feed was set back, and goes on when that has been restored', async () => {
    const url = await freshDatabase(server());
    const { broker, namespace, publish, start, failures, numbers, caughtUp } = await goals(url);
    const redis = admin(redisUrl());
    await redis.connect();
    const feed = `{${namespace}:score:0}:feed`;
    await publish(1, 3);
    const backup = await redis.dumpBuffer(feed);
    await publish(4, 5);
    const first = start(new Goals(poolOf(url)));
    await caughtUp();
    await first.stop();
    const whole = await redis.dumpBuffer(feed);
    await redis.restore(feed, 0, backup, 'REPLACE');
    await publish(40, 60);
    start(new Goals(poolOf(url)));
    await eventually(() => expect(failures.length).toBeGreaterThan(1));
    expect(failures[0]!.failure).toMatchObject({ position: 5, error: { code: 'log-rewound', position: 5 } });
    expect(await numbers()).toEqual(range(1, 5));
    await redis.restore(feed, 0, whole, 'REPLACE');
    await publish(6, 6);
    await eventually(async () => expect(await numbers()).toEqual(range(1, 6)), LONG_MS);
    expect(await broker.store.head({ context: 'score', index: 0 })).toBe(6);
  }, 60_000);

  it('says what it may not do, and goes on when it may', async () => {
    const url = await freshDatabase(server());
    const owner = poolOf(url);
    const role = `clerk_${freshNamespace().slice(5)}`;
    await owner.query(`CREATE ROLE ${role} LOGIN`);
    const { publish, start, failures, numbers } = await goals(url);
    await publish(1, 3);
    start(new Goals(poolOf(url.replace('millrace@', `${role}@`))));
    await eventually(() => expect(failures.length).toBeGreaterThan(0), LONG_MS);
    expect(failures[0]!.failure!.error.message).toMatch(/PostgreSQL: permission denied for database/);
    await owner.query(`GRANT CREATE ON DATABASE ${new URL(url).pathname.slice(1)} TO ${role}`);
    await eventually(async () => expect(await numbers()).toEqual([1, 2, 3]), LONG_MS);
  }, 60_000);

  it('refuses a build whose schema PostgreSQL would give a shorter name', async () => {
    const { database } = new Goals(poolOf(await freshDatabase(server())));
    const build = { context: 'score', build: `${'g'.repeat(60)}.v1` };
    await expect(database.begin(build, async () => undefined)).rejects.toThrow(
      'longer than the 63 bytes of a name in PostgreSQL: give the projection a shorter name',
    );
  });

  it('refuses what is no pool, and options that cannot work', () => {
    const pool = poolOf('postgresql://127.0.0.1:1/none');
    expect(() => new Goals(undefined as never)).toThrow('need a pool: new Pool({ connectionString }) of pg');
    expect(() => new Goals(pool, undefined, { idleMs: 0 })).toThrow(
      'views in PostgreSQL has idleMs: 0; it must be an integer of at least 1',
    );
    expect(() => new Goals(pool, undefined, { tables: 'x' } as never)).toThrow(/tables/);
  });
});
