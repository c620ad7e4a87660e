import { randomBytes, randomUUID } from 'node:crypto';
import { Broker, exportContext, importContext, InMemoryPartitionStore, InMemorySubjectKeys } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import {
  Aggregate,
  AggregateRoot,
  Apply,
  decider,
  EventStore,
  Projection,
  ProjectionRunner,
  Projects,
  ReadView,
  Repository,
} from '@millrace/event-store';
import type { EventStoreOptions, StreamIntegrity, View } from '@millrace/event-store';
import { DataSubject, Event, PersonalData } from '@millrace/messages';
import { PrivateCluster } from '../support/cluster.js';
import { eventually, onTestFinished } from '../support/redis.js';
import { clusterSite, memorySite, redisSite, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';
import { redisStore } from '../support/store.js';

@Event('work.noted')
class Noted {
  constructor(readonly text: string) {}
}

@Aggregate('account', { chain: true, snapshot: { every: 3 } })
class Account extends AggregateRoot {
  notes = 0;
  note(text: string): void {
    this.record(new Noted(text));
  }
  @Apply(Noted) protected noted(): void {
    this.notes++;
  }
}

@Aggregate('plain')
class Plain extends AggregateRoot {
  note(text: string): void {
    this.record(new Noted(text));
  }
  @Apply(Noted) protected noted(): void {
    // Nothing.
  }
}

const ledger = decider({
  name: 'ledger',
  initial: () => 0,
  evolve: (on) => [on(Noted, (notes) => notes + 1)],
  decide: (text: string) => [new Noted(text), new Noted(text)],
  chain: true,
});

const note = (n: number): Noted => new Noted(`note ${n}`);

/** A process of the context `work`. */
function processIn({ store }: Pick<Site, 'store'>, chain: EventStoreOptions = { chain: true }) {
  const broker = new Broker(store, { context: 'work', partitions: 1 });
  return { broker, events: new EventStore(broker, [Noted], chain) };
}

async function all(reports: AsyncIterable<StreamIntegrity>): Promise<readonly StreamIntegrity[]> {
  const found: StreamIntegrity[] = [];
  for await (const each of reports) found.push(each);
  return found;
}

async function texts(store: PartitionStore, stream: string): Promise<readonly string[]> {
  const { entries } = await store.readStream({ context: 'work', index: 0 }, stream);
  return entries.map(({ fields }) => fields[1]!);
}

const intact = (version: number, from = 1) => expect.objectContaining({ status: 'intact', from, version }) as object;

let cluster: PrivateCluster;
beforeAll(async () => {
  cluster = await PrivateCluster.start();
}, 30_000);
afterAll(() => cluster.stop());

const sites: typeof SITES = [...SITES, ['a Redis Cluster', () => clusterSite(cluster.addresses)]];

describe.each(sites)('a chained stream in %s', (_name, open) => {
  it('is whole however its events are appended', async () => {
    const site = await open();
    const { events } = processIn(site);
    expect(await events.append('a-1', [note(1), note(2)])).toMatchObject({ status: 'appended', version: 2 });
    await events.append('a-1', [note(3)], { expected: 2 });
    await events.append('a-1', [note(4)], { expected: 'exists' });
    await events.append('a-2', [note(1)], { expected: 'none' });
    await events.appendAll([
      { stream: 'a-1', events: [note(5)], key: '1' },
      { stream: 'b-1', events: [note(1), note(2)] },
      { stream: 'a-1', events: [note(6)], key: '1' },
    ]);
    const condition = { query: [{ tags: ['red'] }], after: 0 };
    await events.appendIf([note(7)], condition, { stream: 'a-1', tags: ['red'] });
    await events.appendIf([note(8)], { query: [{ tags: ['blue'] }], after: 0 }, { key: '1', tags: ['blue'] });
    expect(await events.verify('a-1')).toEqual(intact(7));
    expect(await all(events.verifyAll())).toEqual([intact(7), intact(1), intact(2)]);
    expect(await all(events.verifyAll({ category: 'a' }))).toHaveLength(2);
  });

  it('tells what an append was told that cannot be', async () => {
    const { events } = processIn(await open());
    await events.append('a-1', [note(1)]);
    expect(await events.append('a-1', [note(2)], { expected: 4 })).toEqual({
      status: 'conflict',
      expected: 4,
      actual: 1,
    });
    expect(await events.append('a-1', [note(2)], { expected: 'none' })).toMatchObject({ actual: 1 });
    expect(await events.append('a-2', [note(2)], { expected: 'exists' })).toMatchObject({ actual: 0 });
    const both = [
      { stream: 'a-1', events: [note(2)], key: '1', expected: 1 },
      { stream: 'a-2', events: [note(2)], key: '1', expected: 3 },
    ];
    expect(await events.appendAll(both)).toMatchObject({ status: 'conflict', stream: 'a-2', actual: 0 });
    expect(await events.verify('a-1')).toEqual(intact(1));
  });

  it('has the events of aggregates and deciders, from snapshots, too', async () => {
    const site = await open();
    const { broker, events } = processIn(site, {});
    const accounts = new Repository(broker, Account);
    for (let n = 1; n <= 8; n++) await accounts.change('x', (account) => account.note(`${n}`));
    await new Repository(processIn(site, {}).broker, Account).change('x', (account) => account.note('9'));
    await new Repository(broker, ledger).decide('x', 'twice');
    await new Repository(broker, Plain).change('x', (plain) => plain.note('1'));
    expect(await accounts.load('x')).toMatchObject({ notes: 9, version: 9 });
    expect(await all(events.verifyAll())).toEqual([
      intact(9),
      intact(2),
      expect.objectContaining({ stream: 'plain-x', status: 'unchained', version: 1 }),
    ]);
  });

  it('reads nothing more for an aggregate, whose end is known by loading it', async () => {
    const { store } = await open();
    let reads = 0;
    const counting = new Proxy(store, {
      get: (target, name) => {
        if (name === 'readStream') reads++;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const accounts = new Repository(processIn({ store: counting }, {}).broker, Account);
    for (let n = 1; n <= 3; n++) await accounts.change('x', (account) => account.note(`${n}`));
    expect(reads).toBe(3);
  });

  it('goes on when many append at the same time, in several processes', async () => {
    const site = await open();
    const processes = [processIn(site), processIn(site), processIn(site)];
    const appends = processes.flatMap(({ events }, p) =>
      Array.from({ length: 15 }, async (_, n) => (await events.append('a-1', [note(p * 100 + n)])).status),
    );
    expect(new Set(await Promise.all(appends))).toEqual(new Set(['appended']));
    expect(await processes[0]!.events.verify('a-1')).toEqual(intact(45));
  });

  it('does an append with ids once', async () => {
    const { events } = processIn(await open());
    const ids = [randomUUID()];
    const first = await events.append('a-1', [note(1)], { ids });
    await events.append('a-1', [note(2)]);
    expect(await events.append('a-1', [note(1)], { ids })).toEqual(first);
    expect(await events.verify('a-1')).toEqual(intact(2));
  });

  it('begins at the next event where there are some already', async () => {
    const site = await open();
    const before = processIn(site, {}).events;
    await before.append('a-1', [note(1), note(2)]);
    expect(await before.verify('a-1')).toMatchObject({ status: 'unchained', version: 2 });
    const { events } = processIn(site);
    await events.append('a-1', [note(3)]);
    await events.append('a-1', [note(4)], { expected: 3 });
    expect(await events.verify('a-1')).toEqual(intact(4, 3));
  });

  it("is gone on with, and none is begun, with 'continue'", async () => {
    const site = await open();
    const following = processIn(site, { chain: 'continue' }).events;
    await following.append('a-1', [note(1)]);
    expect(await following.verify('a-1')).toMatchObject({ status: 'unchained' });
    await processIn(site).events.append('a-1', [note(2)]);
    await following.append('a-1', [note(3)]);
    expect(await following.verify('a-1')).toEqual(intact(3, 2));
  });

  it('shows an event of a process that does not chain, until one verifies from behind it', async () => {
    const site = await open();
    const { events } = processIn(site);
    await events.append('a-1', [note(1), note(2)]);
    await processIn(site, {}).events.append('a-1', [note(3)]);
    await events.append('a-1', [note(4)]);
    expect(await events.verify('a-1')).toMatchObject({ status: 'broken', reason: 'unchained', at: 3 });
    expect(await events.verify('a-1', { from: 4 })).toEqual(intact(4, 4));
  });

  it('is one of those that are named, or of all', async () => {
    const { events } = processIn(await open(), { chain: { a: true, diary: true } });
    for (const stream of ['a-1', 'b-1', 'diary']) await events.append(stream, [note(1)]);
    const found = await all(events.verifyAll());
    expect(found.map(({ stream, status }) => `${stream} ${status}`)).toEqual([
      'a-1 intact',
      'b-1 unchained',
      'diary intact',
    ]);
  });
});

describe.each([
  ['Redis', redisSite],
  ['memory', memorySite],
])('a chained stream in %s', (_name, open) => {
  it('grows by the commits of handlers', async () => {
    const site = await open();
    const events = new EventStore(site.broker, [Noted], { chain: true });
    const accounts = new Repository(site.broker, Account);
    const handled: string[] = [];
    await site.start({
      'work.do': async ({ n }: { n: number }) => {
        await accounts.change('x', (account) => account.note(`${n}`));
        await events.append('diary-x', [note(n)]);
        await accounts.change('x', (account) => account.note(`${n} again`));
        await events.append('diary-x', [note(n)], { expected: 'exists' });
        await events.append('account-x', [note(n)]);
        handled.push(`${n}`);
      },
    });
    for (let n = 0; n < 5; n++) await site.say('work.do', { n }, `${n}`);
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(handled.length).toBeGreaterThanOrEqual(5);
    expect(await events.verify('account-x')).toEqual(intact(15));
    expect(await events.verify('diary-x')).toEqual(intact(10));
  });

  it('is what an inline projection has seen, whichever of the two was declared first', async () => {
    @Projection('notes', { mode: 'inline' })
    class Notes {
      @Projects(Noted) async noted(_event: Noted, view: View<number>): Promise<void> {
        await view.update('all', (count = 0) => count + 1);
      }
    }
    const site = await open();
    for (const chainFirst of [true, false]) {
      const { broker } = processIn(site, {});
      if (chainFirst) new EventStore(broker, [], { chain: true });
      const runner = new ProjectionRunner(broker, Notes, new Notes());
      onTestFinished(() => runner.stop());
      const events = new EventStore(broker, [Noted], { chain: true });
      runner.start();
      const view = new ReadView<number>(broker, Notes);
      await eventually(async () =>
        expect(await broker.store.readState({ context: 'work', index: 0 }, 'projection.notes')).toBeDefined(),
      );
      const before = (await view.get('all')) ?? 0;
      await events.append('a-1', [note(1), note(2)]);
      await eventually(async () => expect(await view.get('all')).toBe(before + 2));
      await runner.stop();
      const position = await broker.store.head({ context: 'work', index: 0 });
      const again = new ProjectionRunner(processIn(site, {}).broker, Notes, new Notes());
      onTestFinished(() => again.stop());
      again.start();
      await eventually(() => expect(again.status()).toMatchObject([{ position }]));
      expect(again.status()[0]!.failure).toBeUndefined();
      await again.stop();
      expect(await events.verify('a-1')).toMatchObject({ status: 'intact' });
    }
  });

  it('stays what it is when it is exported and imported', async () => {
    const { store } = await open();
    const { broker, events } = processIn({ store });
    await broker.declare();
    await events.append('a-1', [note(1), note(2), note(3)]);
    const copy = await redisStore();
    await importContext(copy, exportContext(store, 'work'));
    expect(await texts(copy, 'a-1')).toEqual(await texts(store, 'a-1'));
    const copied = processIn({ store: copy }).events;
    expect(await copied.verify('a-1')).toEqual(await events.verify('a-1'));
    await copied.append('a-1', [note(4)]);
    expect(await copied.verify('a-1')).toEqual(intact(4));
  });
});

describe('a chained stream', () => {
  it('stays whole when a person is forgotten', async () => {
    @Event('work.joined')
    class Joined {
      @DataSubject() id: string;
      @PersonalData() name: string;
      constructor(id: string, name: string) {
        this.id = id;
        this.name = name;
      }
    }
    const keys = new InMemorySubjectKeys();
    const personalData = { keys, masterKey: randomBytes(32), cacheMs: 0 };
    const broker = new Broker(new InMemoryPartitionStore(), {
      context: 'work',
      partitions: 1,
      personalData,
      validate: false,
    });
    const events = new EventStore(broker, [Joined], { chain: true });
    await events.append('member-1', [new Joined('1', 'Ada'), new Joined('1', 'Ada L.')]);
    const before = await events.verify('member-1');
    expect(before).toEqual(intact(2));
    await broker.personalData!.forget('1');
    for await (const { data } of events.read('member-1')) expect(data).not.toMatchObject({ name: 'Ada' });
    expect(await events.verify('member-1')).toEqual(before);
  });

  it('refuses an event that has no room for its chain value, and appends nothing', async () => {
    const store = new InMemoryPartitionStore();
    const broker = new Broker(store, { context: 'work', partitions: 1, limits: { maxBytes: 500 } });
    const events = new EventStore(broker, [Noted], { chain: true });
    const room =
      500 - Buffer.byteLength((await broker.messages.encode(note(1), { subject: 'a-1', partitionkey: '1' })).text);
    const full = new Noted(`note 1${'x'.repeat(room)}`);
    await expect(events.append('a-1', [full])).rejects.toThrow('with its chain value, the limit is 500');
    expect(await texts(store, 'a-1')).toEqual([]);
  });

  it.each([
    [
      () => new EventStore(processIn({ store: new InMemoryPartitionStore() }).broker, [], { chain: 'all' as never }),
      "the event store has chain: 'all'; it must be one of true, 'continue', or one of them for each category: { account: true }",
    ],
    [
      () =>
        new EventStore(processIn({ store: new InMemoryPartitionStore() }).broker, [], { chain: { a: false } as never }),
      "the event store has chain.a: false; it must be one of true, 'continue'",
    ],
    [
      () => Aggregate('odd', { chain: 'yes' as never }),
      "aggregate 'odd' has chain: 'yes'; it must be one of true, 'continue'",
    ],
    [
      () => decider({ name: 'odd', initial: () => 0, evolve: () => [], decide: () => [], chain: 1 as never }),
      "decider 'odd' has chain: 1; it must be one of true, 'continue'",
    ],
  ])('follows no option that cannot work: %#', (declare, message) => {
    expect(declare).toThrow(message);
  });
});
