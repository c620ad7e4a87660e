import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker, InMemoryPartitionStore, Publisher, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { ProjectionBehindError } from './errors.js';
import type { ParkedEvent } from './parked-event.js';
import type { ProjectionContext } from './projection-context.js';
import { ProjectionControl } from './projection-control.js';
import { ProjectionRunner } from './projection-runner.js';
import { Projection, projectionOf, Projects } from './projection.js';
import type { ProjectionClass } from './projection.js';
import { ReadView } from './read-view.js';
import type { View } from './view.js';

@Event('bank.paid', { key: 'account' })
class Paid {
  constructor(
    readonly account: string,
    readonly amount: number,
  ) {}
}

/** Held back while `gate` is set. */
class Sums {
  gate: Promise<void> | undefined;
  readonly replayed: boolean[] = [];

  @Projects(Paid)
  async paid({ account, amount }: Paid, view: View<number>, { isReplay }: ProjectionContext): Promise<void> {
    await this.gate;
    this.replayed.push(isReplay);
    await view.update(account, (sum = 0) => sum + amount);
  }
}

@Projection('sums')
class SumsV1 extends Sums {}

@Projection('sums', { version: 2 })
class SumsV2 extends Sums {
  @Projects(Paid)
  override async paid(event: Paid, view: View<number>, context: ProjectionContext): Promise<void> {
    await super.paid({ ...event, amount: event.amount * 100 }, view, context);
  }
}

@Projection('ledger', { onFailure: 'park', attempts: 2 })
class Ledger {
  strict = true;
  readonly attempts: number[] = [];

  @Projects(Paid)
  async paid({ account, amount }: Paid, view: View<number[]>, { attempt }: ProjectionContext): Promise<void> {
    if (amount < 0) this.attempts.push(attempt);
    if (amount < 0 && this.strict) throw new Error(`${amount} is no payment`);
    await view.update(account, (row = []) => [...row, amount]);
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

describe.each(stores)('the control of a projection in %s', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let publisher: Publisher;
  let runners: ProjectionRunner[];
  let parked: ParkedEvent[];
  let switches: string[];

  beforeEach(async () => {
    store = await open();
    broker = new Broker(store, { context: 'bank', partitions: 2 });
    await broker.declare();
    publisher = new Publisher(broker);
    [runners, parked, switches] = [[], [], []];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await store.close();
  });

  const run = (type: ProjectionClass, projection: object) => {
    const runner = new ProjectionRunner(broker, type, projection, {
      parked: (event) => parked.push(event),
      switched: (from, to) => switches.push(`${from} -> ${to}`),
    });
    runners.push(runner);
    runner.start();
    return runner;
  };
  const control = (type: ProjectionClass) => new ProjectionControl(broker, projectionOf(type));
  const pay = async (account: string, ...amounts: number[]) => {
    for (const amount of amounts) await publisher.publish(new Paid(account, amount));
  };
  const held = (projection: Sums) => {
    let release = (): void => undefined;
    projection.gate = new Promise((resolve) => (release = resolve));
    return release;
  };
  const serving = (build: string) => until(async () => (await control(SumsV1).record())?.serving === build);

  describe('waits', () => {
    it('until whoever has written reads what was written', async () => {
      run(SumsV1, new SumsV1());
      const view = new ReadView<number>(broker, SumsV1);
      for (let sum = 1; sum <= 20; sum++) {
        await pay('ann', 1);
        await control(SumsV1).waitFor();
        expect(await view.get('ann')).toBe(sum);
      }
    });

    it('until a place, and not for what comes behind it', async () => {
      const partition = broker.partitionFor('ann');
      const projection = new SumsV1();
      run(SumsV1, projection);
      await pay('ann', 1);
      await control(SumsV1).waitFor({ partition, position: 1 });
      const release = held(projection);
      await pay('ann', 1);
      await control(SumsV1).waitFor([{ partition, position: 1 }]);
      await expect(control(SumsV1).waitFor({ partition, position: 2 }, { timeoutMs: 20 })).rejects.toThrow(
        ProjectionBehindError,
      );
      release();
      await control(SumsV1).waitFor({ partition, position: 2 });
    });

    it('no longer than it is told, and says how far the projection is', async () => {
      await pay('ann', 1, 1);
      const partition = broker.partitionFor('ann');
      await expect(control(SumsV1).waitFor(undefined, { timeoutMs: 20 })).rejects.toMatchObject({
        code: 'projection-behind',
        projection: 'sums.v1',
        partition,
        wanted: 2,
        reached: 0,
        head: 2,
        message: expect.stringContaining('has not reached position 2 of bank/') as string,
      });
      await expect(
        control(SumsV1).waitFor(undefined, { signal: AbortSignal.abort(new Error('enough')) }),
      ).rejects.toThrow();
    });
  });

  describe('builds', () => {
    it('lets the old version serve, and go on, until the new one has caught up', async () => {
      await pay('ann', 1, 2);
      await pay('bob', 5);
      run(SumsV1, new SumsV1());
      const view = new ReadView<number>(broker, SumsV2);
      await control(SumsV1).waitFor();
      const next = new SumsV2();
      const release = held(next);
      run(SumsV2, next);
      await until(async () => (await control(SumsV2).record())?.building === 'sums.v2');
      await pay('ann', 3);
      await control(SumsV2).waitFor();
      expect([await view.get('ann'), await view.get('bob'), view.name]).toEqual([6, 5, 'sums.v1']);
      release();
      await serving('sums.v2');
      expect([await view.get('ann'), await view.get('bob'), view.name]).toEqual([600, 500, 'sums.v2']);
      expect((await view.list()).sort()).toEqual([500, 600]);
      expect(await control(SumsV1).record()).toMatchObject({ serving: 'sums.v2', previous: 'sums.v1' });
      expect(switches).toEqual(['sums.v1 -> sums.v2']);
      await pay('bob', 1);
      await control(SumsV2).waitFor();
      expect(await view.get('bob')).toBe(600);
    });

    it('goes back to the build that served before, which has been kept up to date', async () => {
      run(SumsV1, new SumsV1());
      await pay('ann', 1);
      await control(SumsV1).waitFor();
      run(SumsV2, new SumsV2());
      await serving('sums.v2');
      await pay('ann', 1);
      expect(await control(SumsV2).rollback()).toBe('sums.v1');
      await control(SumsV1).waitFor();
      const view = new ReadView<number>(broker, SumsV2);
      expect([await view.get('ann'), view.name]).toEqual([2, 'sums.v1']);
      expect(await control(SumsV2).rollback()).toBe('sums.v2');
    });

    it('makes a view anew from its events, and tells how far it is', async () => {
      const projection = new SumsV1();
      run(SumsV1, projection);
      await pay('ann', 1, 2);
      await pay('bob', 1);
      await control(SumsV1).waitFor();
      const partition = broker.partitionFor('ann');
      const damage = { kind: 'row', view: 'sums.v1', id: 'ann', value: '99' } as const;
      await broker.commit({ partition, guards: [], writes: [damage] });
      const view = new ReadView<number>(broker, SumsV1);
      expect(await view.get('ann')).toBe(99);

      const release = held(projection);
      expect(await control(SumsV1).rebuild()).toBe('sums.v1.r2');
      expect(await control(SumsV1).rebuild()).toBe('sums.v1.r2');
      const told: number[] = [];
      for await (const { build, places } of control(SumsV1).progress()) {
        expect(build).toBe('sums.v1.r2');
        told.push(places.reduce((sum, { position }) => sum + position, 0));
        release();
      }
      expect([told[0], told.at(-1)]).toEqual([0, 3]);
      expect([await view.get('ann'), await view.get('bob')]).toEqual([3, 1]);
      await pay('ann', 1);
      await control(SumsV1).waitFor();
      expect(await view.get('ann')).toBe(4);
      expect(await control(SumsV1).rollback()).toBe('sums.v1');
    });

    it('removes old builds, and a process that still runs one leaves them removed', async () => {
      run(SumsV1, new SumsV1());
      await pay('ann', 1);
      await control(SumsV1).waitFor();
      run(SumsV2, new SumsV2());
      await serving('sums.v2');
      expect(await control(SumsV2).removeOld()).toEqual(['sums.v1']);
      const partition = broker.partitionFor('ann');
      await pay('ann', 1, 1, 1);
      await control(SumsV2).waitFor();
      await until(() => runners[0]!.status().length === 0);
      expect((await store.readRows(partition, 'sums.v1')).size).toBe(0);
      expect(await new ReadView<number>(broker, SumsV2).get('ann')).toBe(400);
      await expect(control(SumsV2).rollback()).rejects.toMatchObject({ code: 'projection-build' });
      expect(await control(SumsV2).removeOld()).toEqual([]);
      const { followers } = await store.survey(partition);
      expect(followers.map(({ follower }) => follower)).toEqual([{ kind: 'checkpoint', state: 'checkpoint.sums.v2' }]);
    });

    it('gives up a build that is under way', async () => {
      const projection = new SumsV1();
      run(SumsV1, projection);
      await pay('ann', 1);
      await control(SumsV1).waitFor();
      const release = held(projection);
      await control(SumsV1).rebuild();
      expect(await control(SumsV1).cancel()).toBe(true);
      release();
      expect(await control(SumsV1).record()).toMatchObject({ serving: 'sums.v1', retired: ['sums.v1.r2'] });
      expect(await control(SumsV1).cancel()).toBe(false);
    });

    it('says what is not possible', async () => {
      await expect(control(SumsV1).rebuild()).rejects.toThrow('projection sums has never run');
      run(SumsV1, new SumsV1());
      await serving('sums.v1');
      await expect(control(SumsV1).rollback()).rejects.toThrow('has no build to go back to');
      await control(SumsV2).rebuild();
      await expect(control(SumsV1).rebuild()).rejects.toThrow('sums.v2 is being built');
    });

    it('tells a method what is replayed: what was there before, and what no reader sees', async () => {
      const projection = new SumsV1();
      await pay('ann', 1, 1);
      run(SumsV1, projection);
      await control(SumsV1).waitFor();
      await pay('ann', 1);
      await control(SumsV1).waitFor();
      expect(projection.replayed).toEqual([true, true, false]);
    });
  });

  describe('parks', () => {
    it('an event that fails, after some attempts, and goes on without it', async () => {
      const ledger = new Ledger();
      const runner = run(Ledger, ledger);
      await pay('ann', 1, -2, 3);
      await control(Ledger).waitFor();
      const view = new ReadView<number[]>(broker, Ledger);
      expect(await view.get('ann')).toEqual([1, 3]);
      expect(ledger.attempts).toEqual([1, 2]);
      const noted = await control(Ledger).parked();
      expect(noted).toMatchObject([
        {
          projection: 'ledger.v1',
          partition: broker.partitionFor('ann'),
          position: 2,
          type: 'bank.paid',
          key: 'ann',
          error: '-2 is no payment',
          attempts: 2,
        },
      ]);
      expect(parked).toEqual(noted);
      expect(runner.status().reduce((sum, status) => sum + status.parked, 0)).toBe(1);
    });

    it('what is no message', async () => {
      const partition = broker.partitionFor('ann');
      await broker.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['{"type":'] }] });
      run(Ledger, new Ledger());
      await pay('ann', 1);
      await control(Ledger).waitFor();
      expect(await control(Ledger).parked()).toMatchObject([{ position: 1, attempts: 2 }]);
      expect(await new ReadView<number[]>(broker, Ledger).get('ann')).toEqual([1]);
    });

    it('until it is taken up again, once, while others are projected', async () => {
      const ledger = new Ledger();
      const runner = run(Ledger, ledger);
      await pay('ann', 1, -2, 3, -4);
      await control(Ledger).waitFor();
      const [first, second] = await control(Ledger).parked();
      expect(await runner.retry(first!)).toMatchObject({ position: 2, attempts: 3, error: '-2 is no payment' });
      expect((await control(Ledger).parked())[0]).toMatchObject({ attempts: 3 });
      ledger.strict = false;
      const paying = pay('ann', ...Array.from({ length: 30 }, () => 5));
      expect(await Promise.all([runner.retry(first!), runner.retry(first!)])).toEqual([undefined, undefined]);
      await runner.retry(second!);
      await paying;
      await control(Ledger).waitFor();
      const row = await new ReadView<number[]>(broker, Ledger).get('ann');
      expect(row!.sort((a, b) => a - b)).toEqual([-4, -2, 1, 3, ...Array.from({ length: 30 }, () => 5)]);
      expect(await control(Ledger).parked()).toEqual([]);
      await until(() => runner.status().every((status) => status.parked === 0));
    });
  });
});
