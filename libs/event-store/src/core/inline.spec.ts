import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker, InMemoryPartitionStore, Publisher, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { Apply } from './apply.js';
import { ProjectionControl } from './projection-control.js';
import { ProjectionRunner } from './projection-runner.js';
import { Projection, projectionOf, Projects } from './projection.js';
import type { ProjectionClass } from './projection.js';
import { ReadView } from './read-view.js';
import { Repository } from './repository.js';
import type { View } from './view.js';

@Event('till.paid')
class Paid {
  constructor(readonly amount: number) {}
}

@Aggregate('till')
class Till extends AggregateRoot {
  sum = 0;
  pay(amount: number): void {
    this.record(new Paid(amount));
  }
  @Apply(Paid) protected paid({ amount }: Paid): void {
    this.sum += amount;
  }
}

@Projection('takings', { mode: 'inline', indexes: { sum: (sum: number) => sum } })
class Takings {
  @Projects(Paid) async paid({ amount }: Paid, view: View<number>): Promise<void> {
    if (amount < 0) throw new Error(`${amount} cannot be shown`);
    await view.update('all', (sum = 0) => sum + amount);
  }
}

@Projection('takings', { mode: 'inline', version: 2 })
class InCents extends Takings {
  @Projects(Paid)
  override async paid({ amount }: Paid, view: View<number>): Promise<void> {
    await super.paid(new Paid(amount * 100), view);
  }
}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('an inline projection in %s', (_name, open) => {
  let store: PartitionStore;
  let runners: ProjectionRunner[];

  /** A process of the service. */
  const service = () => {
    const broker = new Broker(store, { context: 'till', partitions: 1 });
    const run = (type: ProjectionClass, projection: object) => {
      const runner = new ProjectionRunner(broker, type, projection);
      runners.push(runner);
      return runner;
    };
    return { broker, run, tills: new Repository(broker, Till), publisher: new Publisher(broker) };
  };
  beforeEach(async () => {
    store = await open();
    runners = [];
  });
  afterEach(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await store.close();
  });

  it('has an event in the commit that appends it, also when nothing runs', async () => {
    const { broker, run, tills, publisher } = service();
    run(Takings, new Takings());
    const view = new ReadView<number>(broker, Takings);
    await tills.change('a', (till) => till.pay(5));
    expect(await view.get('all')).toBe(5);
    await tills.change('b', (till) => (till.pay(1), till.pay(2)));
    expect(await view.get('all')).toBe(8);
    await publisher.publish(new Paid(2));
    expect(await view.get('all')).toBe(10);
    const members = await store.listRows({ context: 'till', index: 0 }, 'takings.v1', { index: 'sum', limit: 9 });
    expect(members).toHaveLength(1);
  });

  it('loses and doubles nothing when many processes append and project at once', async () => {
    const services = [service(), service(), service()];
    for (const { run } of services) run(Takings, new Takings()).start();
    const appends = services.flatMap(({ tills }, s) =>
      Array.from({ length: 20 }, (_, i) => tills.change(`t${s}-${i % 5}`, (till) => till.pay(1))),
    );
    await Promise.all(appends);
    expect(await new ReadView<number>(services[0]!.broker, Takings).get('all')).toBe(60);
    const control = new ProjectionControl(services[0]!.broker, projectionOf(Takings));
    await control.waitFor();
    expect(await new ReadView<number>(services[0]!.broker, Takings).get('all')).toBe(60);
  });

  it('catches up first with events that were there before, and with those of processes that do not run it', async () => {
    const other = service();
    await other.tills.change('a', (till) => till.pay(1));
    const { broker, run, tills } = service();
    run(Takings, new Takings()).start();
    const view = new ReadView<number>(broker, Takings);
    await tills.change('a', (till) => till.pay(2));
    expect(await view.get('all')).toBe(3);
    await other.tills.change('a', (till) => till.pay(4));
    await tills.change('b', (till) => till.pay(8));
    expect(await view.get('all')).toBe(15);
  });

  it('does not let an event be appended that it cannot take', async () => {
    const { broker, run, tills } = service();
    run(Takings, new Takings());
    await expect(tills.change('a', (till) => till.pay(-1))).rejects.toThrow('-1 cannot be shown');
    expect(await broker.store.head({ context: 'till', index: 0 })).toBe(0);
    await tills.change('a', (till) => till.pay(1));
    expect(await new ReadView<number>(broker, Takings).get('all')).toBe(1);
  });

  it('is inline in a new version from when that serves', async () => {
    const old = service();
    old.run(Takings, new Takings()).start();
    await old.tills.change('a', (till) => till.pay(1));
    const next = service();
    next.run(InCents, new InCents()).start();
    const control = new ProjectionControl(next.broker, projectionOf(InCents));
    while ((await control.record())?.serving !== 'takings.v2') await delay(5);
    await Promise.all(
      [old, next].flatMap(({ tills }) => Array.from({ length: 5 }, () => tills.change('a', (till) => till.pay(1)))),
    );
    await control.waitFor();
    expect(await new ReadView<number>(next.broker, InCents).get('all')).toBe(1_100);
    await control.rollback();
    await control.waitFor();
    expect(await new ReadView<number>(next.broker, InCents).get('all')).toBe(11);
  });

  it('parks nothing', () => {
    expect(() => Projection('takings', { mode: 'inline', onFailure: 'park' })).toThrow('nothing is parked');
  });
});
