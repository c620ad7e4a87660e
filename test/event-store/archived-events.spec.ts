import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Broker,
  exportContext,
  FeedArchive,
  FileArchiveStore,
  InMemoryPartitionStore,
  Publisher,
  withArchive,
} from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { EventStore, live, Projection, ProjectionRunner, Projects, ReadView } from '@millrace/event-store';
import type { ProjectionStatus, RecordedEvent, View } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('ledger.paid', { key: 'account' })
class Paid {
  constructor(
    readonly account: string,
    readonly n: number,
  ) {}
}

@Projection('payments')
class Payments {
  @Projects(Paid)
  async paid({ account, n }: Paid, view: View<number[]>): Promise<void> {
    await view.update(account, (row = []) => [...row, n]);
  }
}

const total = live({ initial: () => 0, evolve: (on) => [on(Paid, (sum, { n }) => sum + n)] });
const partition = { context: 'ledger', index: 0 };
const feed = { partition, log: 'feed' } as const;
const stream = { category: 'account', id: 'a' };
const tag = 'customer:ada';
/** Ten events, of which the archive has the first six, as two segments. */
const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const ARCHIVED = 6;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-archived-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function archived(plain: PartitionStore, archive: FeedArchive) {
  const brokerOn = (store: PartitionStore) => new Broker(store, { context: 'ledger', partitions: 1 });
  const events = new EventStore(brokerOn(plain), [Paid]);
  await brokerOn(plain).declare();
  for (const n of ALL) await events.append(stream, [new Paid('a', n)], { tags: [tag] });
  for (let last = 3; last <= ARCHIVED; last += 3) {
    await archive.keep(await plain.readLog(feed, '0', 3), partition);
    await plain.trim(feed, { streams: true, upTo: `0-${last}`, limit: 1_000 });
  }
  return { without: brokerOn(plain), whole: brokerOn(withArchive(plain, archive)) };
}

/** What a reading gives, and how it ends. */
async function outcome(reading: AsyncIterable<RecordedEvent>) {
  const numbers: number[] = [];
  try {
    for await (const { data } of reading) numbers.push((data as Paid).n);
    return { numbers };
  } catch (error) {
    return { numbers, error: error as Error };
  }
}

async function projected(broker: Broker) {
  const failures: ProjectionStatus[] = [];
  const runner = new ProjectionRunner(broker, Payments, new Payments(), { failed: (status) => failures.push(status) });
  onTestFinished(() => runner.stop());
  runner.start();
  return { failures, runner, view: new ReadView<number[]>(broker, Payments) };
}

describe.each([
  ['memory', () => Promise.resolve(new InMemoryPartitionStore())],
  ['Redis', () => redisStore()],
] as const)('events that were archived, in %s', (_name, open) => {
  const readings = (broker: Broker, backwards = false) => {
    const events = new EventStore(broker, [Paid]);
    return {
      stream: events.read(stream, { backwards }),
      tag: events.readTagged(tag, { backwards }),
      category: events.readCategory('account', { backwards }),
      feed: events.readAll({ backwards, pageSize: 2 }),
    };
  };
  const refusal = (position: number) =>
    expect.objectContaining({ code: 'unreadable-event', position, message: expect.stringContaining('was archived') });

  it('are read by stream, tag, category and feed with the archive, and refused without it', async () => {
    const { without, whole } = await archived(await open(), new FeedArchive(new FileArchiveStore(await folder())));
    for (const reading of Object.values(readings(whole))) expect(await outcome(reading)).toEqual({ numbers: ALL });
    for (const reading of Object.values(readings(without)))
      expect(await outcome(reading)).toEqual({ numbers: [], error: refusal(1) });
  });

  it('end a reading backwards behind all that is newer', async () => {
    const { without, whole } = await archived(await open(), new FeedArchive(new FileArchiveStore(await folder())));
    for (const reading of Object.values(readings(whole, true)))
      expect(await outcome(reading)).toEqual({ numbers: ALL.toReversed() });
    for (const reading of Object.values(readings(without, true)))
      expect(await outcome(reading)).toEqual({ numbers: [10, 9, 8, 7], error: refusal(ARCHIVED) });
    const newest = new EventStore(without, [Paid]).readTagged(tag, { backwards: true, limit: 3 });
    expect(await outcome(newest)).toEqual({ numbers: [10, 9, 8] });
    const behind = new EventStore(without, [Paid]).readAll({ from: ARCHIVED + 1, partition: 0 });
    expect(await outcome(behind)).toEqual({ numbers: [7, 8, 9, 10] });
    const before = new EventStore(without, [Paid]).readAll({ from: 4, partition: 0, backwards: true });
    expect(await outcome(before)).toEqual({ numbers: [], error: refusal(4) });
  });

  it('are in live views and projections with the archive, which are refused without it', async () => {
    const { without, whole } = await archived(await open(), new FeedArchive(new FileArchiveStore(await folder())));
    const folds = [
      (broker: Broker) => new EventStore(broker).fold(total, stream),
      (broker: Broker) => new EventStore(broker).fold(total, { tag }),
      (broker: Broker) => new EventStore(broker).fold(total, { category: 'account' }),
    ];
    for (const fold of folds) {
      expect(await fold(whole)).toMatchObject({ state: 55, position: 10 });
      await expect(fold(without)).rejects.toEqual(refusal(1));
    }
    const stuck = await projected(without);
    await eventually(() => expect(stuck.failures.length).toBeGreaterThan(1));
    expect(stuck.failures[0]!.failure).toMatchObject({ position: ARCHIVED + 1, error: refusal(1) });
    expect(await stuck.view.list()).toEqual([]);
    await stuck.runner.stop();
    const running = await projected(whole);
    await eventually(async () => expect(await running.view.get('a')).toEqual(ALL));
  });

  it('are in an export with the archive, which is refused without it', async () => {
    const { without, whole } = await archived(await open(), new FeedArchive(new FileArchiveStore(await folder())));
    const exported = async ({ store }: Broker) => {
      let text = '';
      for await (const block of exportContext(store, 'ledger')) text += block;
      return text;
    };
    expect((await exported(whole)).match(/"position":\d+/g)).toHaveLength(ALL.length);
    await expect(exported(without)).rejects.toMatchObject({
      code: 'archive',
      message: expect.stringMatching(/^events 1 to 6 of ledger\/0 were archived: .*--archive/),
    });
  });

  it('are refused behind an object that the archive has lost, and all before it are read', async () => {
    const files = new FileArchiveStore(await folder());
    const { without } = await archived(await open(), new FeedArchive(files));
    const lossy = new FeedArchive({
      put: (key, bytes) => files.put(key, bytes),
      get: (key) => files.get(key),
      list: async (prefix) => (await files.list(prefix)).filter((key) => !key.includes('/0000000000000004-')),
    });
    const broker = new Broker(withArchive(without.store, lossy), { context: 'ledger', partitions: 1 });
    for (const reading of Object.values(readings(broker)))
      expect(await outcome(reading)).toEqual({ numbers: [1, 2, 3], error: refusal(4) });
    for (const reading of Object.values(readings(broker, true)))
      expect(await outcome(reading)).toEqual({ numbers: [10, 9, 8, 7], error: refusal(6) });
    const { failures, view } = await projected(broker);
    await eventually(() => expect(failures.length).toBeGreaterThan(1));
    expect(failures[0]!.failure!.error).toEqual(refusal(4));
    expect(await view.get('a')).toEqual([1, 2, 3]);
  });

  it('are none of those that retention lets go, whose place is passed', async () => {
    const store = await open();
    const broker = new Broker(store, { context: 'ledger', partitions: 1 });
    await broker.declare();
    const archive = new FeedArchive(new FileArchiveStore(await folder()));
    const publisher = new Publisher(broker);
    for (const n of ALL) await publisher.publish(new Paid('a', n));
    await store.trim(feed, { upTo: '0-2', limit: 1_000 });
    const rest = (from: Broker) => outcome(new EventStore(from, [Paid]).readAll());
    expect(await rest(broker)).toEqual({ numbers: ALL.slice(2) });
    // The archive begins behind them, and the feed behind the archive.
    await archive.keep(await store.readLog(feed, '0', 3), partition);
    await store.trim(feed, { streams: true, upTo: '0-5', limit: 1_000 });
    const whole = new Broker(withArchive(store, archive), { context: 'ledger', partitions: 1 });
    expect(await rest(whole)).toEqual({ numbers: ALL.slice(2) });
    expect(await rest(broker)).toEqual({ numbers: [], error: refusal(3) });
    const { view } = await projected(whole);
    await eventually(async () => expect(await view.get('a')).toEqual(ALL.slice(2)));
  });
});
