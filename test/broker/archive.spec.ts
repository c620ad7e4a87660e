import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Broker,
  exportContext,
  FeedArchive,
  FileArchiveStore,
  importContext,
  Retention,
  withArchive,
} from '@millrace/broker';
import type { ArchiveStore, Partition, PartitionStore } from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStore, Repository } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('shop.counted', { key: 'id' })
class Counted {
  constructor(
    readonly id: string,
    readonly n: number,
  ) {}
}

@Aggregate('counter')
class Counter extends AggregateRoot {
  numbers: number[] = [];

  count(n: number): void {
    this.record(new Counted('a', n));
  }

  @Apply(Counted) protected counted({ n }: Counted): void {
    this.numbers.push(n);
  }
}

const partition: Partition = { context: 'shop', index: 0 };
const feed = { partition, log: 'feed' } as const;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-archive-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** 100 events of two streams and of none, with a tag, of which retention has archived the first 90. */
async function archived(files: ArchiveStore, segment = 30) {
  const namespace = freshNamespace();
  const plain = await redisStore(namespace);
  await plain.declareContext('shop', 1);
  for (let n = 0; n < 100; n++) {
    await plain.commit({
      partition,
      guards: [],
      writes: [
        {
          kind: 'append',
          events: [`{"n":${n}}`],
          ...(n % 3 < 2 ? { stream: `s-${n % 3}`, category: 's' } : {}),
          ...(n % 10 === 0 ? { tags: [['tenth']] } : {}),
        },
      ],
    });
  }
  const whole = await contentOf(plain);
  const text = await exported(plain);
  const archive = new FeedArchive(files, { segment });
  const errors: string[] = [];
  const logger = { warn: (line: string) => errors.push(line), error: (line: string) => errors.push(line) };
  const retention = new Retention(
    new Broker(plain, { context: 'shop', partitions: 1 }),
    { feed: { maxLength: 5, archive }, everyMs: 5 },
    'test',
    { ...logger, log: () => undefined, debug: () => undefined } as never,
  );
  onTestFinished(() => retention.stop());
  retention.start();
  return { namespace, plain, whole, text, store: withArchive(plain, archive), retention, errors };
}

async function contentOf(store: PartitionStore) {
  return {
    stream: await store.readStream(partition, 's-0'),
    pages: [
      await store.readStream(partition, 's-1', { after: 28, limit: 4 }),
      await store.readStream(partition, 's-1', { after: 32, limit: 4, backwards: true }),
    ],
    tagged: await store.readTagged(partition, 'tenth'),
    category: await store.readCategory(partition, 's', { limit: 7, backwards: true, after: 40 }),
    feed: await store.readFeed(partition, 0, 1_000),
    page: await store.readFeed(partition, 55, 10),
    backwards: await store.readFeed(partition, 95, 50, true),
    entry: await store.readEntry({ source: feed, id: '0-7' }),
  };
}

async function exported(store: PartitionStore): Promise<string> {
  let text = '';
  for await (const block of exportContext(store, 'shop')) text += block;
  return text;
}

async function firstLeft(store: PartitionStore): Promise<string | undefined> {
  return (await store.readFeed(partition, 0, 1))[0]?.id;
}

describe('the archive of a feed', () => {
  it('takes events of streams, and everything reads as if nothing had gone', async () => {
    const path = await folder();
    const { plain, whole, text, store, errors } = await archived(new FileArchiveStore(path));
    await eventually(async () => expect(await firstLeft(plain)).toBe('0-91'));
    expect((await readdir(join(path, 'shop', '0'))).map((name) => name.replace(/\..*\.ndjson/, '')).sort()).toEqual([
      '0000000000000001-0000000000000030.gz',
      '0000000000000031-0000000000000060.gz',
      '0000000000000061-0000000000000090.gz',
    ]);
    expect(await contentOf(store)).toEqual(whole);
    const reader = store.openReader();
    expect((await reader.readFeeds([{ partition, position: 58 }], 4, 0)).map(({ id }) => id)).toEqual([
      '0-59',
      '0-60',
      '0-61',
      '0-62',
    ]);
    await reader.close();
    expect((await plain.readStream(partition, 's-0', { limit: 1 })).removed).toEqual([{ version: 1, position: 1 }]);
    expect(errors).toEqual([]);

    expect(await exported(store)).toBe(text);
    const target = await redisStore();
    await importContext(
      target,
      (async function* () {
        yield text;
      })(),
    );
    expect(await contentOf(target)).toEqual(whole);
  });

  it('removes nothing while what it reads back is not what it was given', async () => {
    let broken = true;
    const files = new FileArchiveStore(await folder());
    const { plain, whole, store, retention, errors } = await archived({
      put: (key, bytes) => files.put(key, bytes),
      list: (prefix) => files.list(prefix),
      get: async (key) => {
        const bytes = await files.get(key);
        return broken ? bytes?.subarray(0, bytes.length - 9) : bytes;
      },
    });
    await eventually(() =>
      expect(errors.join()).toMatch(/the archive did not take shop\/0 feed from 0-1 .*is damaged/),
    );
    expect(await firstLeft(plain)).toBe('0-1');
    expect(retention.heldBack[0]).toMatchObject({ archive: { code: 'archive' } });
    broken = false;
    await eventually(async () => expect(await firstLeft(plain)).toBe('0-91'));
    expect(await contentOf(store)).toEqual(whole);
  });

  it('says which object is damaged or missing, and gives no event of it', async () => {
    const path = await folder();
    const { namespace, plain } = await archived(new FileArchiveStore(path));
    await eventually(async () => expect(await firstLeft(plain)).toBe('0-91'));
    const fresh = () => withArchive(plain, new FeedArchive(new FileArchiveStore(path)));
    const [first, second] = (await readdir(join(path, 'shop', '0')))
      .sort()
      .map((name) => join(path, 'shop', '0', name));
    await writeFile(first!, await readFile(second!));
    await expect(fresh().readStream(partition, 's-0')).rejects.toThrow(
      /^shop\/0\/0{15}1-.* is damaged: its checksum is wrong/,
    );
    await rm(first!);
    expect((await fresh().readStream(partition, 's-0')).removed).toHaveLength(10);
    expect(namespace).not.toBe('');
  });

  it('never takes what a reader has not done with, nor a segment that is not full', async () => {
    const path = await folder();
    const { plain } = await archived(new FileArchiveStore(path), 96);
    await plain.register(partition, [{ kind: 'checkpoint', state: 'checkpoint.slow' }]);
    for (let look = 0; look < 3; look++) {
      expect(await plain.trim(feed, { streams: true, keepLength: 5, limit: 0 })).toMatchObject({
        heldBy: { kind: 'checkpoint' },
      });
    }
    expect(await firstLeft(plain)).toBe('0-1');
    expect(await readdir(path)).toEqual([]);
  });

  it('keeps aggregates and streams whole, and without it they are refused', async () => {
    const plain = await redisStore();
    const archive = new FeedArchive(new FileArchiveStore(await folder()));
    const brokerOn = (store: PartitionStore) => new Broker(store, { context: 'shop', partitions: 1 });
    const counters = new Repository(brokerOn(plain), Counter);
    for (let n = 1; n <= 5; n++) await counters.change('a', (counter) => counter.count(n));
    await archive.keep(await plain.readLog(feed, '0', 3), partition);
    await plain.trim(feed, { streams: true, upTo: '0-3', limit: 100 });
    expect(await firstLeft(plain)).toBe('0-4');

    const reading = new Repository(brokerOn(withArchive(plain, archive)), Counter);
    await reading.change('a', (counter) => counter.count(6));
    expect((await reading.load('a')).numbers).toEqual([1, 2, 3, 4, 5, 6]);
    await expect(new Repository(brokerOn(plain), Counter).load('a')).rejects.toMatchObject({
      code: 'unreadable-event',
      message: expect.stringContaining(
        'stream counter-a, shop/0 position 1, event: version 1 is no longer in the feed',
      ),
    });

    const stream = { category: 'counter', id: 'a' };
    const versionsOn = async (store: PartitionStore): Promise<number[]> => {
      const versions: number[] = [];
      for await (const { version } of new EventStore(brokerOn(store), [Counted]).read(stream)) versions.push(version!);
      return versions;
    };
    expect(await versionsOn(withArchive(plain, archive))).toEqual([1, 2, 3, 4, 5, 6]);
    await expect(versionsOn(plain)).rejects.toThrow('version 1 is no longer in the feed');
  });
});
