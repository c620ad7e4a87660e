import { setTimeout as delay } from 'node:timers/promises';
import {
  Broker,
  InMemoryPartitionStore,
  Publisher,
  StoreUnavailableError,
  UnknownOutcomeError,
} from '@millrace/broker';
import { jest } from '@jest/globals';
import { DataSubject, Event, PersonalData } from '@millrace/messages';
import { InMemoryViewDatabase } from '../in-memory/in-memory-view-database.js';
import type { InMemoryRows } from '../in-memory/in-memory-view-database.js';
import { ExternalProjection } from './external-projection.js';
import { ExternalView } from './external-view.js';
import type { ParkedEvent } from './parked-event.js';
import type { ProjectionContext } from './projection-context.js';
import { ProjectionControl } from './projection-control.js';
import { ProjectionRunner } from './projection-runner.js';
import type { ProjectionStatus } from './projection-status.js';
import { Projection, projectionOf, Projects } from './projection.js';
import type { ProjectionClass } from './projection.js';
import { ReadView } from './read-view.js';
import type { ViewDatabase } from './view-database.js';

@Event('score.goal', { key: 'team' })
class Goal {
  constructor(
    readonly team: string,
    readonly n: number,
  ) {}
}

/** Also shows where it was called from. */
abstract class Tally extends ExternalProjection<InMemoryRows> {
  poison: unknown;
  created = 0;
  attempts: number[] = [];
  replays: boolean[] = [];

  create(): void {
    this.created++;
  }

  protected count({ team, n }: Goal, rows: InMemoryRows, { attempt, isReplay }: ProjectionContext): void {
    rows.set(team, [...((rows.get(team) as number[] | undefined) ?? []), n]);
    this.replays.push(isReplay);
    if (n !== 3 || this.poison === undefined) return;
    this.attempts.push(attempt);
    throw this.poison;
  }
}

@Projection('goals')
class Goals extends Tally {
  @Projects(Goal) goal(event: Goal, rows: InMemoryRows, context: ProjectionContext): void {
    this.count(event, rows, context);
  }
}

@Projection('goals', { onFailure: 'park', attempts: 2 })
class ParkingGoals extends Tally {
  @Projects(Goal) goal(event: Goal, rows: InMemoryRows, context: ProjectionContext): void {
    this.count(event, rows, context);
  }
}

@Projection('goals', { version: 2 })
class GoalsOfVersion2 extends Tally {
  @Projects(Goal) goal({ team, n }: Goal, rows: InMemoryRows, context: ProjectionContext): void {
    this.count(new Goal(team, n * 10), rows, context);
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

const range = (to: number, from = 1) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a projection into another database', () => {
  let store: InMemoryPartitionStore;
  let broker: Broker;
  let publisher: Publisher;
  let database: InMemoryViewDatabase;
  let runners: ProjectionRunner[];
  let failures: ProjectionStatus[];
  let parked: ParkedEvent[];

  beforeEach(async () => {
    store = new InMemoryPartitionStore();
    broker = new Broker(store, { context: 'score', partitions: 3 });
    await broker.declare();
    publisher = new Publisher(broker);
    database = new InMemoryViewDatabase();
    [runners, failures, parked] = [[], [], []];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await store.close();
  });

  const start = <T extends Tally>(projection: T): T => {
    const runner = new ProjectionRunner(broker, projection.constructor as ProjectionClass, projection, {
      failed: (status) => failures.push(status),
      parked: (event) => parked.push(event),
    });
    runners.push(runner);
    runner.start();
    return projection;
  };
  const stop = async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    runners = [];
  };
  const goals = async (team: string, from: number, to: number) => {
    for (const n of range(to, from)) await publisher.publish(new Goal(team, n));
  };
  const control = (version = 1, of: ViewDatabase<InMemoryRows> | undefined = database) =>
    new ProjectionControl(broker, { projection: 'goals', version }, of);
  const read = (team: string, by: Tally = new Goals(database)) =>
    new ExternalView(broker, by).read(async (rows) => rows.get(team));
  const ajax = () => broker.partitionFor('ajax');

  it('changes rows and checkpoint of each event once, on every partition, and makes room for them first', async () => {
    const teams = ['ajax', 'basel', 'celtic', 'dynamo', 'everton'];
    for (const team of teams) await goals(team, 1, 2);
    const projection = start(new Goals(database));
    for (const team of teams) await goals(team, 3, 3);
    await control().waitFor();
    for (const team of teams) expect(await read(team)).toEqual([1, 2, 3]);
    expect(projection.created).toBe(1);
    expect(projection.replays.filter((replay) => replay)).toHaveLength(10);
    const { index } = ajax();
    const checkpoint = await database.checkpoint({ context: 'score', build: 'goals.v1', partition: index });
    expect(checkpoint?.position).toBe(await store.head(ajax()));
  });

  it('has each event once however many replicas run it, and after a restart', async () => {
    for (let replica = 0; replica < 3; replica++) start(new Goals(database));
    await goals('ajax', 1, 60);
    await control().waitFor();
    await stop();
    start(new Goals(database));
    await goals('ajax', 61, 80);
    await control().waitFor();
    expect(await read('ajax')).toEqual(range(80));
    expect(failures).toEqual([]);
  });

  it('stops before an event that fails, with the events before it projected, and goes on when it succeeds', async () => {
    const projection = new Goals(database);
    projection.poison = new Error('cannot count 3');
    await goals('ajax', 1, 5);
    start(projection);
    await until(() => failures.length >= 2);
    expect(await read('ajax')).toEqual([1, 2]);
    expect(failures[0]).toMatchObject({
      partition: ajax(),
      position: 2,
      failure: { position: 3, attempts: 1, error: { message: 'cannot count 3' } },
    });
    projection.poison = undefined;
    await control().waitFor();
    expect(await read('ajax')).toEqual(range(5));
    expect(projection.attempts.slice(0, 2)).toEqual([1, 2]);
    await until(() => runners[0]!.status().every(({ failure }) => failure === undefined));
  });

  it('goes on without an event that is parked, and takes it up again', async () => {
    const projection = new ParkingGoals(database);
    projection.poison = new Error('cannot count 3');
    await goals('ajax', 1, 5);
    start(projection);
    await control().waitFor();
    expect(await read('ajax')).toEqual([1, 2, 4, 5]);
    expect(parked).toMatchObject([{ position: 3, attempts: 2, type: 'score.goal', error: 'cannot count 3' }]);
    expect(await control().parked()).toEqual(parked);
    expect(runners[0]!.status()).toContainEqual(expect.objectContaining({ partition: ajax(), position: 5, parked: 1 }));

    projection.poison = new Error('still cannot');
    expect(await runners[0]!.retry(parked[0]!)).toMatchObject({ attempts: 3, error: 'still cannot' });
    expect(await control().parked()).toMatchObject([{ attempts: 3, error: 'still cannot' }]);
    projection.poison = undefined;
    expect(await runners[0]!.retry(parked[0]!)).toBeUndefined();
    expect(await runners[0]!.retry(parked[0]!)).toBeUndefined();
    expect(await read('ajax')).toEqual([1, 2, 4, 5, 3]);
    expect(await control().parked()).toEqual([]);
    expect(runners[0]!.status().every(({ parked: left }) => left === 0)).toBe(true);
  });

  it('finds the event to blame when the database refuses what several have written', async () => {
    const transact = database.transact.bind(database);
    jest.spyOn(database, 'transact').mockImplementation((place, work) =>
      transact(place, async (transaction) => {
        const change = await work(transaction);
        const { handle } = transaction;
        if ((handle.get('ajax') as number[] | undefined)?.includes(7)) throw new Error('no sevens');
        return change;
      }),
    );
    await goals('ajax', 1, 20);
    start(new ParkingGoals(database));
    await control().waitFor();
    expect(await read('ajax')).toEqual(range(20).filter((n) => n !== 7));
    expect(parked).toMatchObject([{ position: 7, attempts: 2, error: 'no sevens' }]);
  });

  it('parks nothing while the database cannot be reached, and says so', async () => {
    const projection = new ParkingGoals(database);
    projection.poison = new StoreUnavailableError('no route to it');
    await goals('ajax', 1, 5);
    start(projection);
    await until(() => failures.length >= 4);
    expect(failures[0]!.failure).toMatchObject({ position: undefined, error: { code: 'store-unavailable' } });
    projection.poison = undefined;
    await control().waitFor();
    expect(await read('ajax')).toEqual(range(5));
    expect(parked).toEqual([]);
  });

  it.each([
    ['has been committed', true],
    ['has not been committed', false],
  ])('reads the checkpoint when the answer to a commit is lost that %s', async (_, committed) => {
    const transact = database.transact.bind(database);
    let losses = 0;
    jest.spyOn(database, 'transact').mockImplementation(async (place, work) => {
      if (losses++ >= 3) return transact(place, work);
      if (committed) await transact(place, work);
      throw new UnknownOutcomeError('no answer to COMMIT');
    });
    await goals('ajax', 1, 40);
    start(new Goals(database));
    start(new Goals(database));
    for (let n = 41; losses < 4; n++) {
      await goals('ajax', n, n);
      await delay(5);
    }
    const last = await store.head(ajax());
    await control().waitFor(undefined, { timeoutMs: 15_000 });
    expect(await read('ajax')).toEqual(range(last));
  });

  it('tells the store of the events how far it is, also when it could not at first', async () => {
    const commit = store.commit.bind(store);
    let outages = 0;
    jest.spyOn(store, 'commit').mockImplementation(async (act) => {
      const [write] = act.writes;
      if (write?.kind !== 'put' || !write.state.startsWith('checkpoint.') || outages++ >= 2) return commit(act);
      throw new StoreUnavailableError('no route to Redis');
    });
    await goals('ajax', 1, 5);
    start(new Goals(database));
    await control().waitFor();
    expect(outages).toBeGreaterThan(2);
    expect(await read('ajax')).toEqual(range(5));
    const copy = JSON.parse((await store.readState(ajax(), 'checkpoint.goals.v1'))!.value) as object;
    expect(copy).toMatchObject({ position: 5, in: 'memory' });
  });

  it('is never passed by retention', async () => {
    const trim = () => store.trim({ partition: ajax(), log: 'feed' }, { keepLength: 1, limit: 1000 });
    const projection = new Goals(database);
    projection.poison = new Error('cannot count 3');
    await goals('ajax', 1, 5);
    start(projection);
    await until(() => failures.length > 1);
    expect(await trim()).toMatchObject({ count: 2, heldBy: { kind: 'checkpoint', state: 'checkpoint.goals.v1' } });
    projection.poison = undefined;
    await control().waitFor();
    expect(await trim()).toMatchObject({ count: 2 });
    expect(await read('ajax')).toEqual(range(5));
  });

  it('begins again when the database has been emptied, and stops when events are missing for that', async () => {
    await goals('ajax', 1, 3);
    start(new Goals(database));
    await control().waitFor();
    await stop();
    database = new InMemoryViewDatabase();
    start(new Goals(database));
    await until(async () => ((await read('ajax')) as number[] | undefined)?.length === 3);
    await stop();

    expect(await store.trim({ partition: ajax(), log: 'feed' }, { keepLength: 1, limit: 1000 })).toMatchObject({
      count: 2,
    });
    database = new InMemoryViewDatabase();
    start(new Goals(database));
    await until(() => failures.length > 0);
    expect(failures[0]!.failure).toMatchObject({ position: 3, error: { code: 'missing-events', from: 1, to: 2 } });
  });

  it('goes back when the database was set back, and projects again what that has lost', async () => {
    await goals('ajax', 1, 3);
    start(new Goals(database));
    await control().waitFor();
    await stop();
    const place = { context: 'score', build: 'goals.v1', partition: ajax().index };
    const { last: _, ...checkpoint } = (await database.checkpoint(place))!;
    await database.transact(place, async ({ handle }) => {
      handle.set('ajax', [1]);
      return { checkpoint: { ...checkpoint, position: 1 } };
    });
    start(new Goals(database));
    await until(async () => ((await read('ajax')) as number[]).length === 3);
    expect(await read('ajax')).toEqual([1, 2, 3]);
  });

  it('builds a new version beside the one that serves, changes over, goes back, and removes the old', async () => {
    await goals('ajax', 1, 3);
    start(new Goals(database));
    await control().waitFor();
    const newer = new GoalsOfVersion2(database);
    newer.poison = undefined;
    start(newer);
    await until(async () => (await control().record())?.serving === 'goals.v2');
    await goals('ajax', 4, 4);
    await control(2).waitFor();
    expect(await read('ajax')).toEqual([10, 20, 30, 40]);
    await control(2).rollback();
    await control(1).waitFor();
    expect(await read('ajax')).toEqual([1, 2, 3, 4]);
    await control(2).rollback();

    await expect(new ProjectionControl(broker, { projection: 'goals', version: 2 }).removeOld()).rejects.toThrow(
      'the rows of goals.v1 stand in memory, which cannot be reached from here: ask the service',
    );
    expect(await control(2).removeOld()).toEqual(['goals.v1']);
    const place = { context: 'score', build: 'goals.v1', partition: 0 };
    expect(await database.checkpoint(place)).toMatchObject({ removed: true });
    await goals('ajax', 5, 5);
    await control(2).waitFor();
    expect(await read('ajax')).toEqual([10, 20, 30, 40, 50]);
    expect(await database.read(place, async (rows) => rows.size)).toBe(0);
  });

  it('is built once more beside itself', async () => {
    await goals('ajax', 1, 3);
    const projection = start(new Goals(database));
    await control().waitFor();
    const build = await control().rebuild();
    for await (const progress of control().progress()) expect(progress.build).toBe(build);
    expect(await control().record()).toMatchObject({ serving: 'goals.v1.r2', previous: 'goals.v1' });
    expect(projection.created).toBe(2);
    expect(await read('ajax')).toEqual([1, 2, 3]);
  });

  it('stands still, with the reason, when it cannot make room for its rows', async () => {
    class Homeless extends Goals {
      override create(): void {
        throw new Error('no space for tables');
      }
    }
    Projection('homeless')(Homeless);
    start(new Homeless(database));
    await until(() => failures.length > 0);
    expect(failures[0]!.failure).toMatchObject({ position: 1, error: { message: 'no space for tables' } });
  });
});

describe('the declaration of a projection into another database', () => {
  it('refuses what only rows beside the events can have', () => {
    class Person {
      @DataSubject() id = '';
      @PersonalData() name = '';
    }
    const declare = (options: object) => () => Projection('rows', options)(Goals);
    expect(declare({ mode: 'inline' })).toThrow(
      "projection 'rows' has its rows in another database, so they cannot be part of the commit that appends the events: " +
        "leave out mode: 'inline'",
    );
    expect(declare({ indexes: { n: (row: number) => row } })).toThrow(
      'which has indexes of its own: leave out indexes',
    );
    expect(declare({ personalData: Person })).toThrow("where nothing is encrypted: write personalData: 'none'");
    expect(declare({ mode: 'async', personalData: 'none', version: 2 })).not.toThrow();
    Projection('goals')(Goals);
    expect(projectionOf(Goals)).toMatchObject({ name: 'goals.v1' });
  });

  it('needs a database', () => {
    expect(() => new Goals(undefined as never)).toThrow(
      "projection Goals has no database: give its constructor's super() one",
    );
  });

  it('has no view beside the events', () => {
    const broker = new Broker(new InMemoryPartitionStore(), { context: 'score' });
    expect(() => new ReadView(broker, Goals)).toThrow(
      'the rows of Goals stand in another database: read them by an ExternalView',
    );
  });
});
