import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Broker,
  InMemoryPartitionStore,
  Publisher,
  RedisPartitionStore,
  StoreUnavailableError,
} from '@millrace/broker';
import type { MessageContext, PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { jest } from '@jest/globals';
import { ProjectionRunner } from './projection-runner.js';
import type { ProjectionStatus } from './projection-status.js';
import { Projection, Projects } from './projection.js';
import { ReadView } from './read-view.js';
import type { View } from './view.js';

@Event('score.goal', { key: 'team' })
class Goal {
  constructor(
    readonly team: string,
    readonly n: number,
  ) {}
}

@Event('score.card', { key: 'team' })
class Card {
  constructor(readonly team: string) {}
}

@Projection('table')
class Table {
  poison: number | undefined;
  attempts: number[] = [];

  @Projects(Goal)
  async goal(event: Goal, view: View<number[]>, context: MessageContext): Promise<void> {
    if (event.n === this.poison) {
      this.attempts.push(context.attempt);
      view.put(event.team, [-1]);
      throw new Error(`cannot count ${event.n}`);
    }
    await view.update(event.team, (row = []) => [...row, event.n]);
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a projection in %s', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let publisher: Publisher;
  let table: Table;
  let view: ReadView<number[]>;
  let runners: ProjectionRunner[];
  let failures: ProjectionStatus[];

  beforeEach(async () => {
    store = await open();
    broker = new Broker(store, { context: 'score', partitions: 3 });
    await broker.declare();
    publisher = new Publisher(broker);
    table = new Table();
    view = new ReadView(broker, Table);
    runners = [];
    failures = [];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await store.close();
  });

  const start = (projection = table) => {
    const runner = new ProjectionRunner(broker, Table, projection, { failed: (status) => failures.push(status) });
    runners.push(runner);
    runner.start();
    return runner;
  };
  const goals = async (team: string, from: number, to: number) => {
    for (let n = from; n <= to; n++) await publisher.publish(new Goal(team, n));
  };
  const range = (to: number) => Array.from({ length: to }, (_, n) => n + 1);

  it('folds what was there before it and what comes while it runs, on every partition', async () => {
    const teams = ['ajax', 'basel', 'celtic', 'dynamo', 'everton'];
    for (const team of teams) await goals(team, 1, 2);
    await publisher.publish(new Card('ajax'));
    start();
    for (const team of teams) await goals(team, 3, 3);
    await until(async () => (await view.list()).flat().length === 15);
    for (const team of teams) expect(await view.get(team)).toEqual([1, 2, 3]);
    expect(await view.get('fulham')).toBeUndefined();
  });

  it('goes on from its checkpoint after a restart', async () => {
    await goals('ajax', 1, 3);
    const first = start();
    await until(async () => (await view.get('ajax'))?.length === 3);
    await first.stop();
    await goals('ajax', 4, 6);
    const second = start();
    await until(async () => (await view.get('ajax'))?.length === 6);
    expect(await view.get('ajax')).toEqual(range(6));
    const at = second.status().find((status) => status.position > 0);
    expect(at).toMatchObject({ projection: 'table.v1', position: 6, failure: undefined });
  });

  it('projects each event once however many replicas run it', async () => {
    start();
    start(new Table());
    start(new Table());
    await goals('ajax', 1, 60);
    await until(async () => (await view.get('ajax'))?.length === 60);
    expect(await view.get('ajax')).toEqual(range(60));
    expect(failures).toEqual([]);
  });

  it('stops before an event that fails, says where, and goes on when it succeeds', async () => {
    table.poison = 3;
    await goals('ajax', 1, 5);
    await goals('basel', 1, 2);
    const runner = start();
    await until(() => failures.length >= 2);
    expect(await view.get('ajax')).toEqual([1, 2]);
    expect(failures[0]).toMatchObject({
      partition: broker.partitionFor('ajax'),
      position: 2,
      failure: { position: 3, attempts: 1, error: { message: 'cannot count 3' } },
    });
    expect(runner.status().filter((status) => status.failure)).toHaveLength(1);
    table.poison = undefined;
    await until(async () => (await view.get('ajax'))?.length === 5);
    expect(await view.get('ajax')).toEqual(range(5));
    expect(await view.get('basel')).toEqual([1, 2]);
    expect(table.attempts.slice(0, 2)).toEqual([1, 2]);
    await until(() => runner.status().every((status) => status.failure === undefined));
  });

  it('stops before what is no message', async () => {
    const partition = broker.partitionFor('ajax');
    await broker.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['{"type":'] }] });
    start();
    await until(() => failures.length > 0);
    expect(failures[0]!.failure).toMatchObject({ position: 1, error: { code: 'unreadable-event' } });
  });

  it('survives a store that cannot be reached, without counting an event twice', async () => {
    await goals('ajax', 1, 2);
    const commit = store.commit.bind(store);
    let outages = 0;
    jest.spyOn(store, 'commit').mockImplementation(async (act) => {
      if (outages++ > 1) return commit(act);
      if (outages === 2) await commit(act);
      throw new StoreUnavailableError('no route to Redis');
    });
    start();
    await until(async () => outages >= 2 && (await view.get('ajax'))?.length === 2);
    await goals('ajax', 3, 3);
    await until(async () => (await view.get('ajax'))?.length === 3);
    expect(await view.get('ajax')).toEqual([1, 2, 3]);
    expect(failures[0]!.failure).toMatchObject({ position: undefined, error: { code: 'store-unavailable' } });
  });

  it('is never passed by retention, and begins with what is left when it is new', async () => {
    const partition = broker.partitionFor('ajax');
    const trim = () => store.trim({ partition, log: 'feed' }, { keepLength: 1, limit: 1000 });
    table.poison = 3;
    await goals('ajax', 1, 5);
    start();
    await until(() => failures.length > 0);
    expect(await trim()).toMatchObject({ count: 2, heldBy: { kind: 'checkpoint', state: 'checkpoint.table.v1' } });
    table.poison = undefined;
    await until(async () => (await view.get('ajax'))?.length === 5);
    await until(async () => (await trim()).count > 0);
    await goals('ajax', 6, 6);
    await until(async () => (await view.get('ajax'))?.length === 6);

    @Projection('totals')
    class Totals extends Table {}
    const runner = new ProjectionRunner(broker, Totals, new Totals());
    runners.push(runner);
    runner.start();
    await until(async () => (await new ReadView<number[]>(broker, Totals).get('ajax'))?.at(-1) === 6);
  });

  it('stops when events have been removed before it had them', async () => {
    const partition = broker.partitionFor('ajax');
    await goals('ajax', 1, 2);
    const first = start();
    await until(async () => (await view.get('ajax'))?.length === 2);
    await first.stop();
    await goals('ajax', 3, 5);
    await store.expire(partition, { kind: 'checkpoint', state: 'checkpoint.table.v1' }, 0);
    await store.trim({ partition, log: 'feed' }, { keepLength: 1, limit: 1000 });
    start();
    await until(() => failures.length > 1);
    expect(failures[0]!.failure).toMatchObject({ position: 5, error: { code: 'missing-events', from: 3, to: 4 } });
    expect(await view.get('ajax')).toEqual([1, 2]);
  });

  it('stops at once while it waits, and only once', async () => {
    const runner = start();
    await until(() => runner.status().length === 3);
    await Promise.all([runner.stop(), runner.stop()]);
    await goals('ajax', 1, 1);
    expect(await view.get('ajax')).toBeUndefined();
  });
});
