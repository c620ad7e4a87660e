import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, Publisher, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { ProjectionControl } from './projection-control.js';
import { ProjectionRunner } from './projection-runner.js';
import { Projection, projectionOf, Projects } from './projection.js';
import { ReadView } from './read-view.js';
import type { View } from './view.js';

@Event('shelf.priced', { key: 'sku' })
class Priced {
  constructor(
    readonly sku: string,
    readonly price: number,
    readonly tags: readonly string[] = [],
  ) {}
}

@Event('shelf.cleared', { key: 'sku' })
class Cleared {
  constructor(readonly sku: string) {}
}

interface Product {
  readonly sku: string;
  readonly price: number;
  readonly tags: readonly string[];
}

const byWhat = {
  price: (row: Product) => row.price,
  tag: (row: Product) => row.tags,
  cheap: (row: Product) => (row.price < 10 ? row.sku : undefined),
};

@Projection('products', { indexes: byWhat })
class Products {
  @Projects(Priced) priced({ sku, price, tags }: Priced, view: View<Product>): void {
    view.put(sku, { sku, price, tags });
  }
  @Projects(Cleared) cleared({ sku }: Cleared, view: View<Product>): void {
    view.delete(sku);
  }
}

describe('a view that is written by hand', () => {
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'library', partitions: 4 });
  const view = new ReadView<{ title: string }>(broker, 'books');
  const write = (index: number, id: string, title: string) =>
    broker.commit({
      partition: { context: 'library', index },
      guards: [],
      writes: [{ kind: 'row', view: 'books', id, value: JSON.stringify({ title }) }],
    });

  it('finds a row in whichever partition its events are', async () => {
    const home = broker.partitionFor('emma').index;
    await write((home + 1) % 4, 'emma', 'Emma');
    await write(broker.partitionFor('dune').index, 'dune', 'Dune');
    expect(await view.get('emma')).toEqual({ title: 'Emma' });
    expect(await view.get('dune')).toEqual({ title: 'Dune' });
    expect(await view.get('none')).toBeUndefined();
    expect((await view.list()).map((row) => row.title).sort()).toEqual(['Dune', 'Emma']);
  });
});

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a view with indexes in %s', (_name, open) => {
  let store: PartitionStore;
  let publisher: Publisher;
  let runner: ProjectionRunner;
  let control: ProjectionControl;
  let view: ReadView<Product, typeof byWhat>;

  beforeEach(async () => {
    store = await open();
    const broker = new Broker(store, { context: 'shelf', partitions: 3 });
    await broker.declare();
    publisher = new Publisher(broker);
    runner = new ProjectionRunner(broker, Products, new Products());
    control = new ProjectionControl(broker, projectionOf(Products));
    view = new ReadView(broker, Products);
    runner.start();
  });
  afterEach(async () => {
    await runner.stop();
    await store.close();
  });

  const publish = async (...events: object[]) => {
    await Promise.all(events.map((event) => publisher.publish(event)));
    await control.waitFor();
  };
  const skus = async (query: Parameters<typeof view.list>[0]) => (await view.list(query)).rows.map(({ sku }) => sku);

  it('lists over all partitions by value, by range and by one of several values', async () => {
    await publish(
      new Priced('a', 5, ['new']),
      new Priced('b', -1, ['new', 'old']),
      new Priced('c', 100, ['old']),
      new Priced('d', 20),
      new Priced('e', 5),
    );
    expect(await skus({ index: 'price' })).toEqual(['b', 'a', 'e', 'd', 'c']);
    expect(await skus({ index: 'price', from: 5, to: 20 })).toEqual(['a', 'e', 'd']);
    expect(await skus({ index: 'price', equals: 5 })).toEqual(['a', 'e']);
    expect(await skus({ index: 'price', from: 6, backwards: true })).toEqual(['c', 'd']);
    expect(await skus({ index: 'tag', equals: 'old' })).toEqual(['b', 'c']);
    expect(await skus({ index: 'cheap' })).toEqual(['a', 'b', 'e']);
  });

  it.each([false, true])('pages without gap or repetition (backwards: %s)', async (backwards) => {
    await publish(...Array.from({ length: 23 }, (_, i) => new Priced(`p${i}`, i % 4)));
    const read: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await view.list({ index: 'price', limit: 5, backwards, cursor });
      read.push(...page.rows.map(({ sku }) => sku));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(read).toEqual(await skus({ index: 'price', backwards, limit: 100 }));
    expect(new Set(read).size).toBe(23);
  });

  it('lists a row where it is now, and not where it was', async () => {
    await publish(new Priced('a', 5, ['new']), new Priced('b', 5));
    await publish(new Priced('a', 50), new Cleared('b'));
    expect(await skus({ index: 'price' })).toEqual(['a']);
    expect(await skus({ index: 'price', equals: 5 })).toEqual([]);
    expect(await skus({ index: 'tag', equals: 'new' })).toEqual([]);
    expect(await skus({ index: 'cheap' })).toEqual([]);
  });

  it.each(['', 'abc', 'WzFd', 'W10'])('refuses the cursor %j, which it never gave', async (cursor) => {
    await expect(view.list({ index: 'price', cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });
});
