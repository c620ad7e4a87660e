import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, RedisPartitionStore, UnitOfWork } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { decode, Event } from '@millrace/messages';
import { upcast } from '@millrace/transforms';
import { jest } from '@jest/globals';
import { Type } from 'class-transformer';
import { IsInt, Min } from 'class-validator';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { Apply } from './apply.js';
import { MAX_DECISIONS, Repository } from './repository.js';

class Line {
  sku!: string;
  get shout(): string {
    return this.sku.toUpperCase();
  }
}

@Event('shelf.filled')
class ShelfFilled {
  @IsInt() @Min(1) quantity!: number;
  constructor(quantity: number) {
    this.quantity = quantity;
  }
}

@Event('shelf.labelled', { version: 2 })
class ShelfLabelled {
  @Type(() => Line) line!: Line;
}

@Aggregate('shelf')
class Shelf extends AggregateRoot {
  quantity = 0;
  label = '';

  fill(quantity: number): number {
    this.record(new ShelfFilled(quantity));
    return this.quantity;
  }

  relabel(sku: string): void {
    this.record(Object.assign(new ShelfLabelled(), { line: Object.assign(new Line(), { sku }) }));
  }

  @Apply(ShelfFilled) protected filled(event: ShelfFilled): void {
    this.quantity += event.quantity;
  }

  @Apply(ShelfLabelled) protected labelled(event: ShelfLabelled): void {
    this.label = event.line.shout;
  }
}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a repository in %s', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let shelves: Repository<Shelf>;

  beforeEach(async () => {
    store = await open();
    broker = new Broker(store, { context: 'shelf', partitions: 2 });
    await broker.declare();
    shelves = new Repository(broker, Shelf);
  });
  afterEach(() => store.close());

  const stored = async (id: string) => {
    const { version, entries } = await store.readStream(broker.partitionFor(id), `shelf-${id}`);
    return { version, messages: entries.map((entry) => decode(entry.fields, entry.id)) };
  };
  const inUnit = async (work: (unit: UnitOfWork) => Promise<void>, unit = new UnitOfWork()) => {
    await unit.run(() => work(unit));
    return broker.commit(await unit.toCommit(broker.partitionFor('a')));
  };

  it('loads what has no events as version 0, and finds nothing', async () => {
    expect(await shelves.load('a')).toMatchObject({ id: 'a', version: 0, quantity: 0 });
    expect(await shelves.find('a')).toBeUndefined();
  });

  it('commits a change at once outside of a handler', async () => {
    expect(await shelves.change('a', (shelf) => shelf.fill(3) + shelf.fill(4))).toBe(10);
    expect(await shelves.load('a')).toMatchObject({ quantity: 7, version: 2 });
    expect((await stored('a')).messages[0]).toMatchObject({
      type: 'shelf.filled',
      source: '/shelf',
      subject: 'shelf-a',
      partitionkey: 'a',
      data: { quantity: 3 },
    });
  });

  it('commits nothing when nothing is recorded', async () => {
    expect(await shelves.change('a', () => 'no')).toBe('no');
    expect(await stored('a')).toEqual({ version: 0, messages: [] });
  });

  it('loses no update of concurrent changes', async () => {
    await Promise.all(Array.from({ length: 5 }, () => shelves.change('a', (shelf) => shelf.fill(1))));
    expect(await shelves.load('a')).toMatchObject({ quantity: 5, version: 5 });
  });

  it('gives up with a conflict when others are always faster', async () => {
    let decisions = 0;
    const rival = new Repository(broker, Shelf);
    const losing = shelves.change('a', async (shelf) => {
      decisions++;
      await rival.change('a', (other) => other.fill(1));
      shelf.fill(1);
    });
    await expect(losing).rejects.toMatchObject({ code: 'conflict', guard: 'version' });
    expect(decisions).toBe(MAX_DECISIONS);
    expect((await stored('a')).version).toBe(MAX_DECISIONS);
  });

  it('stores nothing of a decision that records a broken event', async () => {
    const broken = shelves.change('a', (shelf) => [shelf.fill(1), shelf.fill(0)]);
    await expect(broken).rejects.toMatchObject({ name: 'MessageError', code: 'invalid-data' });
    expect((await stored('a')).version).toBe(0);
  });

  it('makes nested values instances of their classes when the event declares them', async () => {
    await shelves.change('a', (shelf) => shelf.relabel('book'));
    expect((await shelves.load('a')).label).toBe('BOOK');
  });

  it('names stream, position and type of an event that the class does not apply', async () => {
    const partition = broker.partitionFor('a');
    const text = JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 'shelf.burnt', data: {} });
    await broker.commit({ partition, guards: [], writes: [{ kind: 'append', stream: 'shelf-a', events: [text] }] });
    const message = `stream shelf-a, shelf/${partition.index} position 1, shelf.burnt: Shelf has no method that applies it`;
    await expect(shelves.load('a')).rejects.toThrow(message);
    await expect(shelves.load('a')).rejects.toMatchObject({ code: 'unreadable-event', type: 'shelf.burnt' });
  });

  it('brings events of old versions up to date, and refuses them without an upcast', async () => {
    const partition = broker.partitionFor('a');
    const data = { sku: 'pen' };
    const text = JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 'shelf.labelled', data });
    await broker.commit({ partition, guards: [], writes: [{ kind: 'append', stream: 'shelf-a', events: [text] }] });
    await expect(shelves.load('a')).rejects.toThrow('has schema version 1, ShelfLabelled has 2: declare an upcast');
    broker.addTransforms({
      stored: [upcast<{ sku: string }>(ShelfLabelled, { from: 1, to: 2 }, ({ sku }) => ({ line: { sku } }))],
    });
    expect((await shelves.load('a')).label).toBe('PEN');
  });

  it('reads only the news of a long stream, and everything when its past has changed', async () => {
    const reads = jest.spyOn(store, 'readStream');
    for (let n = 0; n < 30; n++) await shelves.change('a', (shelf) => shelf.fill(1));
    expect(reads.mock.calls.slice(-2).map(([, , page]) => page?.after)).toEqual([26, 27]);

    const partition = broker.partitionFor('a');
    const forged = new Broker(new InMemoryPartitionStore(), { context: 'shelf', partitions: 2 });
    const past = new Repository(forged, Shelf);
    for (let n = 0; n < 30; n++) await past.change('a', (shelf) => shelf.fill(2));
    reads.mockImplementation((_partition, stream, after) => forged.store.readStream(partition, stream, after));
    expect(await shelves.load('a')).toMatchObject({ quantity: 60, version: 30 });
    await past.change('a', (shelf) => shelf.fill(1));
    expect(await shelves.load('a')).toMatchObject({ quantity: 61, version: 31 });
    reads.mockRestore();
  });

  describe('inside a handler', () => {
    it('stores all changes of one aggregate behind one guard, in their order', async () => {
      const unit = new UnitOfWork();
      await unit.run(async () => {
        await shelves.change('a', (shelf) => shelf.fill(1));
        await shelves.change('a', (shelf) => shelf.fill(2));
        expect(await shelves.load('a')).toMatchObject({ quantity: 3, version: 2 });
      });
      const commit = await unit.toCommit(broker.partitionFor('a'));
      expect(commit.guards).toEqual([{ kind: 'version', stream: 'shelf-a', expected: 0 }]);
      expect(commit.writes).toMatchObject([{ kind: 'append', stream: 'shelf-a' }]);
      expect(await broker.commit(commit)).toMatchObject({ status: 'committed', appended: [{ version: 2 }] });
      expect((await stored('a')).messages.map((message) => message.data)).toEqual([{ quantity: 1 }, { quantity: 2 }]);
    });

    it('stores what is recorded after a change, or without one, too', async () => {
      await inUnit(async () => {
        const shelf = await shelves.load('a');
        await shelves.change('a', (same) => expect(same).toBe(shelf));
        shelf.fill(9);
      });
      expect(await shelves.load('a')).toMatchObject({ quantity: 9 });
    });

    it('refuses what a handler did not wait for, instead of losing it', async () => {
      let late: Promise<unknown> = Promise.resolve();
      let go = (): void => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      await inUnit(async () => {
        await shelves.change('a', (shelf) => shelf.fill(1));
        late = shelves.change('a', async (shelf) => gate.then(() => shelf.fill(2)));
      });
      go();
      await expect(late).rejects.toThrow('await what a handler begins');
      expect(await shelves.load('a')).toMatchObject({ quantity: 1, version: 1 });
    });

    it('appends the groups in the order in which they began', async () => {
      const [first, second] = Array.from({ length: 20 }, (_, n) => `s${n}`).filter(
        (id) => broker.partitionFor(id).index === 0,
      );
      const unit = new UnitOfWork();
      await unit.run(async () => {
        await shelves.load(first!);
        await shelves.change(second!, (shelf) => shelf.fill(1));
        await shelves.change(first!, (shelf) => shelf.fill(2));
        await shelves.change(second!, (shelf) => shelf.fill(3));
      });
      const { writes } = await unit.toCommit(broker.partitionFor(first!));
      expect(writes).toMatchObject([
        { stream: `shelf-${second}`, events: [expect.anything(), expect.anything()] },
        { stream: `shelf-${first}`, events: [expect.anything()] },
      ]);
    });

    it('names the handled message as the cause', async () => {
      const message = {
        specversion: '1.0',
        id: 'm-1',
        source: '/x',
        type: 'x.y',
        correlationid: 'c-1',
        data: {},
      } as const;
      await inUnit(async () => {
        (await shelves.load('a')).fill(1);
        await shelves.change('a', (shelf) => shelf.fill(2));
      }, new UnitOfWork(message));
      for (const event of (await stored('a')).messages) {
        expect(event).toMatchObject({ causationid: 'm-1', correlationid: 'c-1' });
      }
    });

    it('is refused when somebody was faster, also when it decided to record nothing', async () => {
      const unit = new UnitOfWork();
      await unit.run(() => shelves.change('a', () => 'nothing to do'));
      await shelves.change('a', (shelf) => shelf.fill(1));
      const result = await broker.commit(await unit.toCommit(broker.partitionFor('a')));
      expect(result).toEqual({ status: 'refused', guard: 'version', found: '1' });
    });

    it('forgets a decision that failed, and keeps the ones before it', async () => {
      await inUnit(async () => {
        await shelves.change('a', (shelf) => shelf.fill(1));
        const failing = shelves.change('a', (shelf) => {
          shelf.fill(5);
          throw new Error('second thoughts');
        });
        await expect(failing).rejects.toThrow('second thoughts');
        expect(await shelves.change('a', (shelf) => shelf.fill(2))).toBe(3);
      });
      expect(await shelves.load('a')).toMatchObject({ quantity: 3, version: 2 });
    });

    it('lets parallel changes of one aggregate share its instance', async () => {
      await inUnit(async () => {
        await Promise.all([1, 2, 3].map((n) => shelves.change('a', (shelf) => shelf.fill(n))));
      });
      expect(await shelves.load('a')).toMatchObject({ quantity: 6, version: 3 });
    });

    it('refuses a change within a change', async () => {
      await inUnit(async () => {
        const nested = shelves.change('a', () => shelves.change('a', (shelf) => shelf.fill(1)));
        await expect(nested).rejects.toThrow('two changes of shelf-a overlap in one handler');
      });
    });

    it('changes aggregates of one partition in one commit, and refuses another partition', async () => {
      const ids = Array.from({ length: 20 }, (_, n) => `s${n}`);
      const home = ids.filter((id) => broker.partitionFor(id).index === 0);
      const away = ids.find((id) => broker.partitionFor(id).index === 1)!;
      const result = await inUnit(async () => {
        await shelves.change(home[0]!, (shelf) => shelf.fill(1));
        await shelves.change(home[1]!, (shelf) => shelf.fill(1));
        await expect(shelves.change(away, (shelf) => shelf.fill(1))).rejects.toMatchObject({ code: 'configuration' });
      });
      expect(result).toMatchObject({ status: 'committed', appended: [{ version: 1 }, { version: 1 }] });
    });
  });
});
