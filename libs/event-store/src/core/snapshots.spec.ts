import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, KeyBuilder, RedisPartitionStore, UnitOfWork } from '@millrace/broker';
import type { PartitionStore, Write } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { Apply } from './apply.js';
import { decider } from './decider.js';
import { Repository } from './repository.js';

@Event('jar.filled')
class Filled {
  constructor(readonly amount: number) {}
}

abstract class AnyJar extends AggregateRoot {
  amount = 0;
  label: string | undefined = 'fresh';

  fill(amount: number): void {
    this.record(new Filled(amount));
  }

  @Apply(Filled) protected filled({ amount }: Filled): void {
    this.amount += amount;
    this.label = undefined;
  }
}

@Aggregate('jar', { snapshot: { every: 10 } })
class Jar extends AnyJar {}

@Aggregate('jar', { snapshot: { every: 10, version: 2 } })
class DoubleJar extends AnyJar {
  @Apply(Filled) protected override filled({ amount }: Filled): void {
    this.amount += 2 * amount;
  }
}

@Aggregate('jar', { snapshot: { every: 10, write: 'after-append' } })
class LazyJar extends AnyJar {}

@Aggregate('jar')
class PlainJar extends AnyJar {}

const namespace = `t-${randomUUID().slice(0, 8)}`;
const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  ['Redis', () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace })],
];

describe.each(stores)('snapshots in %s', (name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let id: string;

  beforeAll(async () => {
    store = await open();
    broker = new Broker(store, { context: 'pantry', partitions: 1 });
  });
  afterAll(() => store.close());
  beforeEach(() => void (id = randomUUID().slice(0, 8)));
  afterEach(() => jest.restoreAllMocks());

  const partition = { context: 'pantry', index: 0 };
  const state = () => `snapshot.jar-${id}`;
  const stored = async () => {
    const kept = await store.readState(partition, state());
    return kept && (JSON.parse(kept.value) as Record<string, unknown>);
  };
  const fill = async <J extends AnyJar>(jars: Repository<J>, times: number, amount = 1) => {
    for (let n = 0; n < times; n++) await jars.change(id, (jar) => jar.fill(amount));
  };
  const put = (value: string) => {
    const write: Write = { kind: 'put', state: state(), value };
    return broker.commit({ partition, guards: [], writes: [write] });
  };
  /** The versions after which a repository that knows nothing yet reads, and what it loads. */
  const load = async <J extends AnyJar>(type: new () => J) => {
    const reads = jest.spyOn(store, 'readStream');
    const { amount, label, version } = await new Repository(broker, type).load(id);
    const after = reads.mock.calls.map(([, , page]) => page?.after ?? 0);
    reads.mockRestore();
    return { amount, label, version, after };
  };

  it('are taken with every tenth event, in the commit of the append', async () => {
    const commits = jest.spyOn(store, 'commit');
    await fill(new Repository(broker, Jar), 25);
    expect(await stored()).toMatchObject({ version: 20, reducer: 1, state: { amount: 20 } });
    const kinds = commits.mock.calls.map(([{ writes }]) => writes.map(({ kind }) => kind).join());
    expect(kinds.filter((kind) => kind === 'append,put')).toHaveLength(2);
    expect(kinds).toHaveLength(25);
  });

  it('are loaded with the events behind them, and nothing before', async () => {
    await fill(new Repository(broker, Jar), 25);
    expect(await load(Jar)).toEqual({ amount: 25, label: undefined, version: 25, after: [19] });
    expect(await load(PlainJar)).toMatchObject({ amount: 25, version: 25, after: [0] });
  });

  it('count a commit of many events as one, and are taken of the last', async () => {
    await new Repository(broker, Jar).change(id, (jar) => Array.from({ length: 23 }, () => jar.fill(1)));
    expect(await stored()).toMatchObject({ version: 23, state: { amount: 23 } });
    expect(await load(Jar)).toMatchObject({ amount: 23, version: 23, after: [22] });
  });

  it('are kept in the commit of a handler, of all that it decides', async () => {
    const jars = new Repository(broker, Jar);
    await fill(jars, 8);
    const unit = new UnitOfWork();
    await unit.run(async () => {
      await jars.change(id, (jar) => jar.fill(1));
      await jars.change(id, (jar) => jar.fill(1));
      (await jars.load(id)).fill(5);
    });
    const commit = await unit.toCommit(partition);
    expect(commit.writes.map(({ kind }) => kind)).toEqual(['append', 'put']);
    expect(await stored()).toBeUndefined();
    await broker.commit(commit);
    expect(await stored()).toMatchObject({ version: 11, state: { amount: 15 } });
    expect(await load(Jar)).toMatchObject({ amount: 15, version: 11, after: [10] });
  });

  it('are not taken by a handler that is refused', async () => {
    const jars = new Repository(broker, Jar);
    await fill(jars, 9);
    const unit = new UnitOfWork();
    await unit.run(() => jars.change(id, (jar) => jar.fill(100)));
    await fill(new Repository(broker, PlainJar), 1);
    expect(await broker.commit(await unit.toCommit(partition))).toMatchObject({ status: 'refused', guard: 'version' });
    expect(await stored()).toBeUndefined();
    await fill(jars, 1);
    expect(await stored()).toMatchObject({ version: 11, state: { amount: 11 } });
  });

  it('are written after the append, by who loads next', async () => {
    const jars = new Repository(broker, LazyJar);
    const commits = jest.spyOn(store, 'commit');
    await fill(jars, 10);
    expect(commits).toHaveBeenCalledTimes(10);
    expect(await stored()).toBeUndefined();
    expect(await jars.load(id)).toMatchObject({ amount: 10 });
    await Promise.all(commits.mock.results.map(({ value }) => value as Promise<unknown>));
    expect(await stored()).toMatchObject({ version: 10, state: { amount: 10 } });
    expect(await load(LazyJar)).toMatchObject({ amount: 10, version: 10, after: [9] });
  });

  it('of another reducer are ignored, and replaced in time', async () => {
    await fill(new Repository(broker, Jar), 12);
    expect(await load(DoubleJar)).toMatchObject({ amount: 24, version: 12, after: [0] });
    await fill(new Repository(broker, DoubleJar), 1);
    expect(await stored()).toMatchObject({ version: 13, reducer: 2, state: { amount: 26 } });
    expect(await load(Jar)).toMatchObject({ amount: 13, version: 13, after: [0] });
  });

  it('are not missed when they are gone', async () => {
    const jars = new Repository(broker, Jar);
    await fill(jars, 12);
    await broker.commit({ partition, guards: [], writes: [{ kind: 'delete', state: state() }] });
    expect(await load(Jar)).toMatchObject({ amount: 12, version: 12, after: [0] });
    await fill(new Repository(broker, Jar), 1);
    expect(await stored()).toMatchObject({ version: 13, state: { amount: 13 } });
  });

  it.each([
    ['emptied', () => ''],
    ['no JSON', () => 'x'.repeat(400)],
    ['cut short', (text: string) => text.slice(0, -5)],
    ['one figure of the state another', (text: string) => text.replace('"amount":20', '"amount":21')],
    ['its version another', (text: string) => text.replace('"version":20', '"version":19')],
    ['its sum another', (text: string) => text.replace(/"sum":"./, '"sum":"_')],
  ])('are not used when damaged: %s', async (_damage, damage) => {
    await fill(new Repository(broker, Jar), 21);
    const { value } = (await store.readState(partition, state()))!;
    expect(damage(value)).not.toBe(value);
    await put(damage(value));
    expect(await load(Jar)).toMatchObject({ amount: 21, version: 21, after: [0] });
    await fill(new Repository(broker, Jar), 1);
    expect(await stored()).toMatchObject({ version: 22, state: { amount: 22 } });
  });

  it('of a past that the stream does not have are not used', async () => {
    await fill(new Repository(broker, Jar), 21);
    const { value } = (await store.readState(partition, state()))!;
    const first = id;
    id = randomUUID().slice(0, 8);
    await fill(new Repository(broker, PlainJar), 15, 2);
    await put(value);
    // The snapshot is ahead of the stream, and then the stream has grown past it.
    expect(await load(Jar)).toMatchObject({ amount: 30, version: 15, after: [19, 0] });
    await fill(new Repository(broker, PlainJar), 10, 2);
    expect(await load(Jar)).toMatchObject({ amount: 50, version: 25, after: [19, 0] });
    id = first;
    expect(await load(Jar)).toMatchObject({ amount: 21, version: 21, after: [19] });
  });

  it('keep what is known of a stream small: what a process has read is let go when it takes one', async () => {
    const jars = new Repository(broker, Jar);
    await fill(jars, 25);
    const reads = jest.spyOn(store, 'readStream');
    const states = jest.spyOn(store, 'readState');
    await fill(jars, 3);
    expect(reads.mock.calls.map(([, , page]) => page?.after)).toEqual([23, 24, 25]);
    expect(states).not.toHaveBeenCalled();
    await fill(jars, 2);
    await fill(jars, 1);
    expect(states).toHaveBeenCalledTimes(1);
    expect(await jars.load(id)).toMatchObject({ amount: 31, version: 31 });
  });

  if (name === 'Redis') {
    it('survive a stream that a failover has set back below them', async () => {
      const redis = new Redis(process.env.TEST_REDIS_URL!);
      const jars = new Repository(broker, Jar);
      await fill(jars, 25);
      await redis.ltrim(new KeyBuilder(namespace).stream(partition, `jar-${id}`), 0, 4);
      expect(await jars.load(id)).toMatchObject({ amount: 5, version: 5 });
      expect(await load(Jar)).toMatchObject({ amount: 5, version: 5 });
      // By now with other events, and further than the snapshot.
      await fill(new Repository(broker, PlainJar), 20, 3);
      expect(await jars.load(id)).toMatchObject({ amount: 65, version: 25 });
      expect(await load(Jar)).toMatchObject({ amount: 65, version: 25, after: [19, 0] });
      await fill(jars, 1);
      expect(await load(Jar)).toMatchObject({ amount: 66, version: 26, after: [25] });
      redis.disconnect();
    });
  }
});

describe('what a snapshot keeps', () => {
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'pantry', partitions: 1 });
  const partition = broker.partitionFor('');

  it('is what the class says, when it says so', async () => {
    @Aggregate('drawer', { snapshot: { every: 2 } })
    class Drawer extends AggregateRoot {
      #held = new Map<string, number>();
      total(): number {
        return [...this.#held.values()].reduce((sum, n) => sum + n, 0);
      }
      fill(amount: number): void {
        this.record(new Filled(amount));
      }
      toSnapshot(): unknown {
        return [...this.#held];
      }
      fromSnapshot(held: [string, number][]): void {
        this.#held = new Map(held);
      }
      @Apply(Filled) protected filled({ amount }: Filled): void {
        this.#held.set(`${this.id}-${this.version}`, amount);
      }
    }
    await new Repository(broker, Drawer).change('d', (drawer) => [1, 2, 4].map((n) => drawer.fill(n)));
    const reads = jest.spyOn(broker.store, 'readStream');
    expect((await new Repository(broker, Drawer).load('d')).total()).toBe(7);
    expect(reads.mock.calls).toEqual([[partition, 'drawer-d', { after: 2 }]]);
    reads.mockRestore();
  });

  it('is the state of a decider, or what it is turned into', async () => {
    const jar = (name: string, own: object) =>
      decider({
        name,
        initial: () => new Map<string, number>(),
        evolve: (on) => [on(Filled, (all, { amount }) => new Map([...all, [`n${all.size}`, amount]]))],
        decide: (amount: number) => new Filled(amount),
        snapshot: { every: 2, ...own },
      });
    expect(() => jar('map', {})).toThrow("snapshots of decider 'map': its state is a Map; give them toSnapshot and");
    const toSnapshot = (all: ReadonlyMap<string, number>) => [...all];
    expect(() => jar('half', { toSnapshot })).toThrow('its state is a Map');
    const kept = jar('map', { toSnapshot, fromSnapshot: (all: [string, number][]) => new Map(all) });
    for (const amount of [1, 2, 3]) await new Repository(broker, kept).decide('a', amount);
    expect((await new Repository(broker, kept).load('a')).state).toEqual(
      new Map([
        ['n0', 1],
        ['n1', 2],
        ['n2', 3],
      ]),
    );
    const { value } = (await broker.store.readState(partition, 'snapshot.map-a'))!;
    expect(JSON.parse(value)).toMatchObject({ version: 2, state: [['n0', 1], ['n1', 2]] }); // prettier-ignore
  });

  it('is taken by rule of the state', async () => {
    const full = decider({
      name: 'full',
      initial: () => 0,
      evolve: (on) => [on(Filled, (sum, { amount }) => sum + amount)],
      decide: (amount: number) => new Filled(amount),
      snapshot: { when: (sum, since) => sum >= 10 && since > 1 },
    });
    const versions: (number | undefined)[] = [];
    for (const amount of [4, 4, 4, 4, 4]) {
      await new Repository(broker, full).decide('a', amount);
      const kept = await broker.store.readState(partition, 'snapshot.full-a');
      versions.push(kept && (JSON.parse(kept.value) as { version: number }).version);
    }
    expect(versions).toEqual([undefined, undefined, 3, 3, 5]);
  });

  it('is refused at the start where fields do not say everything', () => {
    const options = { snapshot: {} };
    @Aggregate('a', options)
    class WithMap {
      held = new Map();
    }
    @Aggregate('a', options)
    class WithPrivate extends AggregateRoot {
      #n = 0;
      next(): number {
        return ++this.#n;
      }
    }
    @Aggregate('a', options)
    class Inherits extends WithPrivate {}
    @Aggregate('a', options)
    class Half {
      toSnapshot(): unknown {
        return {};
      }
    }
    const repository = (type: new () => object) => () => new Repository(broker, type);
    expect(repository(WithMap)).toThrow(
      'snapshots of WithMap: this.held is a Map; give it toSnapshot() and fromSnapshot',
    );
    expect(repository(WithPrivate)).toThrow('WithPrivate: has private fields (#), which a snapshot does not see');
    expect(repository(Inherits)).toThrow('Inherits: has private fields (#)');
    expect(repository(Half)).toThrow('Half: has one of toSnapshot and fromSnapshot');
  });

  it.each([
    [{ every: 0 }, 'Odd has snapshot.every: 0; it must be a positive integer'],
    [{ version: 1.5 }, 'Odd has snapshot.version: 1.5; it must be a positive integer'],
    [{ write: 'never' }, "Odd has snapshot.write: never; it must be 'with-append' or 'after-append'"],
    [{ evry: 5 }, 'Odd has snapshot.evry, which is no option'],
  ])('follows no option that cannot work: %j', (snapshot, message) => {
    class Odd {}
    Aggregate('odd', { snapshot } as object)(Odd);
    expect(() => new Repository(broker, Odd)).toThrow(message);
  });

  it('never keeps events from being stored: what cannot be kept or opened is reported once', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    @Aggregate('clock', { snapshot: { every: 1 } })
    class Clock extends AnyJar {
      at: Date | undefined;
      @Apply(Filled) protected override filled(): void {
        this.amount++;
        this.at = new Date(0);
      }
    }
    const clocks = new Repository(broker, Clock);
    for (let n = 0; n < 3; n++) await clocks.change('c', (clock) => clock.fill(1));
    expect(await clocks.load('c')).toMatchObject({ amount: 3, version: 3 });
    const reason =
      'Clock goes on without snapshots: state.at is a Date, which JSON does not keep: say what to keep instead';
    expect(warnings.mock.calls).toEqual([[reason, 'SnapshotWarning']]);

    const jar = (fromSnapshot: (kept: unknown) => number) =>
      decider({
        name: 'broken',
        initial: () => 0,
        evolve: (on) => [on(Filled, (sum, { amount }) => sum + amount)],
        decide: (amount: number) => new Filled(amount),
        snapshot: { every: 1, toSnapshot: (sum) => sum, fromSnapshot },
      });
    const broken = new Repository(
      broker,
      jar(() => {
        throw new Error('cannot read it');
      }),
    );
    for (let n = 0; n < 3; n++) await broken.decide('b', 1);
    expect(await broken.load('b')).toMatchObject({ state: 3, version: 3 });
    expect(warnings).toHaveBeenLastCalledWith(
      "decider 'broken' goes on without snapshots: cannot read it",
      'SnapshotWarning',
    );
    expect(warnings).toHaveBeenCalledTimes(2);
    warnings.mockRestore();
  });
});
