import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Broker, InMemoryPartitionStore, RedisPartitionStore, StoreUnavailableError } from '@millrace/broker';
import type { MessageContext, PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { checkpointName, readCheckpoint } from './checkpoint.js';
import type { ParkedEvent } from './parked-event.js';
import { ProjectionRunner } from './projection-runner.js';
import type { ProjectionStatus } from './projection-status.js';
import { Projection, Projects } from './projection.js';
import { ReadView } from './read-view.js';
import type { View } from './view.js';

@Event('meter.read', { key: 'meter' })
class Reading {
  constructor(
    readonly meter: string,
    readonly n: number,
  ) {}
}

interface Seen {
  count: number;
  last: number;
}

class Counts {
  poison: number | undefined;
  readonly attempts: number[] = [];

  @Projects(Reading)
  read({ meter, n }: Reading, view: View<Seen>, { attempt }: MessageContext): Promise<void> {
    const counted = view.update(meter, (row = { count: 0, last: 0 }) => {
      // Whatever order events come in, and however often, shows in the row.
      row.count += n === row.last + 1 ? 1 : 1_000_000;
      row.last = n;
      return row;
    });
    if (n !== this.poison) return counted;
    this.attempts.push(attempt);
    throw new Error(`cannot count ${n}`);
  }
}

@Projection('counts')
class Stopping extends Counts {}

@Projection('counts', { onFailure: 'park', attempts: 1 })
class Parking extends Counts {}

const EVENTS = 1_800;

/** Waits until a check passes. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await check();
    } catch {
      await delay(5);
    }
  }
}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a projection in %s that is pages behind', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let runners: ProjectionRunner[];
  let failures: ProjectionStatus[];
  let parked: ParkedEvent[];
  const partition = { context: 'meter', index: 0 };

  beforeEach(async () => {
    store = await open();
    broker = new Broker(store, { context: 'meter', partitions: 1 });
    await broker.declare();
    [runners, failures, parked] = [[], [], []];
    await append(1, EVENTS);
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await store.close();
  });

  async function append(from: number, to: number): Promise<void> {
    const events: string[] = [];
    for (let n = from; n <= to; n++) events.push((await broker.messages.encode(new Reading('m', n))).text);
    await broker.commit({ partition, guards: [], writes: [{ kind: 'append', events }] });
  }

  function start(projection: Counts): ProjectionRunner {
    const type = projection.constructor as typeof Stopping;
    const runner = new ProjectionRunner(broker, type, projection, {
      failed: (status) => failures.push(status),
      parked: (event) => parked.push(event),
    });
    runners.push(runner);
    runner.start();
    return runner;
  }

  const seen = () => new ReadView<Seen>(broker, Stopping).get('m');
  const arrived = (last: number) => eventually(async () => expect((await seen())?.last).toBe(last));

  /** Checkpoints that were committed, each with what the view had in the same commit. */
  function committed(): [position: number, count: number][] {
    const found: [number, number][] = [];
    const commit = store.commit.bind(store);
    jest.spyOn(store, 'commit').mockImplementation(async (act) => {
      const result = await commit(act);
      const state = act.writes.find((write) => write.kind === 'put' && write.state === checkpointName('counts.v1'));
      const row = act.writes.find((write) => write.kind === 'row' && write.view === 'counts.v1');
      if (result.status !== 'committed' || state?.kind !== 'put' || row?.kind !== 'row') return result;
      found.push([
        (JSON.parse(state.value) as Seen & { position: number }).position,
        (JSON.parse(row.value!) as Seen).count,
      ]);
      return result;
    });
    return found;
  }

  it('has each event once, and what is committed is whole', async () => {
    const commits = committed();
    const read = jest.spyOn(store, 'readRow');
    const runner = start(new Stopping());
    await eventually(() => expect(runner.status()[0]?.position).toBe(EVENTS));
    // Nobody else has written rows of a new build.
    expect(read).not.toHaveBeenCalled();
    expect(await seen()).toEqual({ count: EVENTS, last: EVENTS });
    for (const [position, count] of commits) expect(count).toBe(position);
    expect(commits.length).toBeLessThan(Math.ceil(EVENTS / 500));
  });

  it('goes on with single events once it has caught up', async () => {
    start(new Stopping());
    await arrived(EVENTS);
    await append(EVENTS + 1, EVENTS + 1);
    await arrived(EVENTS + 1);
    expect(await seen()).toEqual({ count: EVENTS + 1, last: EVENTS + 1 });
  });

  it('stops before an event that fails, with all before it in the view', async () => {
    const projection = new Stopping();
    projection.poison = 1_203;
    start(projection);
    await eventually(() => expect(failures.length).toBeGreaterThan(1));
    expect(failures[0]).toMatchObject({ position: 1_202, failure: { position: 1_203, attempts: 1 } });
    expect(await seen()).toEqual({ count: 1_202, last: 1_202 });
    projection.poison = undefined;
    await arrived(EVENTS);
    expect(await seen()).toEqual({ count: EVENTS, last: EVENTS });
    expect(projection.attempts.slice(0, 2)).toEqual([1, 2]);
  });

  it('parks an event that fails in the commit of all before it', async () => {
    const projection = new Parking();
    projection.poison = 1_203;
    const runner = start(projection);
    await arrived(EVENTS);
    // The one behind the parked event is out of its order.
    expect(await seen()).toEqual({ count: EVENTS - 2 + 1_000_000, last: EVENTS });
    expect(parked).toMatchObject([{ position: 1_203, attempts: 1 }]);
    expect(runner.status()).toMatchObject([{ position: EVENTS, parked: 1 }]);
  });

  it('folds again what a store that cannot be reached has not taken', async () => {
    const commit = store.commit.bind(store);
    let outages = 0;
    jest.spyOn(store, 'commit').mockImplementation(async (act) => {
      if (!act.writes.some((write) => write.kind === 'row') || outages > 0) return commit(act);
      outages++;
      throw new StoreUnavailableError('no route to Redis');
    });
    start(new Stopping());
    await arrived(EVENTS);
    expect(outages).toBe(1);
    expect(await seen()).toEqual({ count: EVENTS, last: EVENTS });
    expect(failures[0]!.failure).toMatchObject({ position: undefined, error: { code: 'store-unavailable' } });
  });

  it('has each event once when several processes run it', async () => {
    const commits = committed();
    for (let i = 0; i < 3; i++) start(new Stopping());
    await arrived(EVENTS);
    await append(EVENTS + 1, EVENTS + 700);
    await arrived(EVENTS + 700);
    expect(await seen()).toEqual({ count: EVENTS + 700, last: EVENTS + 700 });
    for (const [position, count] of commits) expect(count).toBe(position);
    expect(failures).toEqual([]);
  });

  it('is as far as its checkpoint says when it is stopped', async () => {
    const runner = start(new Stopping());
    await eventually(() => expect(runner.status()).toHaveLength(1));
    await runner.stop();
    const { position } = await readCheckpoint(broker, partition, 'counts.v1');
    expect((await seen())?.count ?? 0).toBe(position);
    start(new Stopping());
    await arrived(EVENTS);
    expect(await seen()).toEqual({ count: EVENTS, last: EVENTS });
  });
});
