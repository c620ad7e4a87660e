import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, RedisPartitionStore, UnitOfWork } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Command, Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { jest } from '@jest/globals';
import { IsInt } from 'class-validator';
import type { AppendOptions } from './append-options.js';
import { EventStore } from './event-store.js';
import type { RecordedEvent } from './recorded-event.js';

@Event('bank.paid-in')
class PaidIn {
  @IsInt() amount: number;
  constructor(amount: number) {
    this.amount = amount;
  }
}

@Event('bank.noted')
class Noted {
  constructor(readonly text: string) {}
}

@Event('bank.undeclared')
class Undeclared {}

@Event('bank.paid-in', { version: 2 })
class LaterPaidIn {
  amount = 0;
}

@Command('bank.pay')
class Pay {}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

async function all(reading: AsyncIterable<RecordedEvent>): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of reading) events.push(event);
  return events;
}

const amounts = async (reading: AsyncIterable<RecordedEvent>) =>
  (await all(reading)).map(({ data }) => (data as PaidIn).amount);
const paid = (...figures: number[]) => figures.map((amount) => new PaidIn(amount));

describe.each(stores)('an event store in %s', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let events: EventStore;
  let now = 0;

  beforeAll(async () => {
    store = await open();
  });
  beforeEach(() => {
    now = Date.UTC(2026, 0, 1);
    const context = `bank-${randomUUID().slice(0, 8)}`;
    broker = new Broker(store, { context, partitions: 3, clock: { now: () => now } });
    events = new EventStore(broker, [PaidIn, Noted]);
  });
  afterAll(() => store.close());

  const heads = () => Promise.all([0, 1, 2].map((index) => store.head({ context: broker.context, index })));

  describe('append', () => {
    it('answers where the events are', async () => {
      expect(await events.append('account-1', paid(1, 2))).toEqual({
        ...{ status: 'appended', version: 2, first: 1, position: 2 },
      });
      expect(await events.append('account-1', paid(3))).toMatchObject({ version: 3, first: 3, position: 3 });
    });

    it('is done where the stream is as expected, and answers how it is where not', async () => {
      const append = (expected: AppendOptions['expected']) => events.append('account-1', paid(1), { expected });
      expect(await append('exists')).toEqual({ status: 'conflict', expected: 'exists', actual: 0 });
      expect(await append(1)).toEqual({ status: 'conflict', expected: 1, actual: 0 });
      expect(await append('none')).toMatchObject({ status: 'appended', version: 1 });
      expect(await append('none')).toEqual({ status: 'conflict', expected: 'none', actual: 1 });
      expect(await append('exists')).toMatchObject({ version: 2 });
      expect(await append(2)).toMatchObject({ version: 3 });
      expect(await append('any')).toMatchObject({ version: 4 });
    });

    it.each<[string, AppendOptions]>([
      ['any version', {}],
      ['an existing stream', { expected: 'exists' }],
      ['a version', { expected: 1 }],
    ])('with ids and %s is done once, and answers as the first time', async (_what, options) => {
      await events.append('account-1', paid(1));
      const once = () => events.append('account-1', paid(2, 3), { ...options, ids: ['a', 'b'] });
      const first = await once();
      expect(first).toMatchObject({ status: 'appended', version: 3 });
      await events.append('account-1', paid(4));
      expect(await once()).toEqual(first);
      expect(await amounts(events.read('account-1'))).toEqual([1, 2, 3, 4]);
    });

    it('with ids and a version is done once for ever', async () => {
      const forgetful = new Broker(store, { context: broker.context, partitions: 3, dedupeWindowMs: 1 });
      const short = new EventStore(forgetful, [PaidIn]);
      const once = () => short.append('account-1', paid(2), { expected: 'none', ids: ['a'] });
      const first = await once();
      await events.append('account-1', paid(3));
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await once()).toEqual(first);
      expect(await short.append('account-1', paid(2), { expected: 'none', ids: ['b'] })).toMatchObject({
        ...{ status: 'conflict', actual: 2 },
      });
    });

    it('with the first id of other events is refused', async () => {
      await events.append('account-1', paid(1), { ids: ['a'] });
      const other = events.append('account-1', paid(1, 2), { ids: ['a', 'b'] });
      await expect(other).rejects.toThrow('event id a was appended before with other events');
    });

    it('keeps metadata, time and tags', async () => {
      const time = new Date(Date.UTC(2020, 0, 1));
      const metadata = { correlationId: 'c', causationId: 'd', actor: 'ada', time };
      await events.append('account-1', paid(7), { metadata, tags: (event) => [`of:${(event as PaidIn).amount}`, 'x'] });
      const [event] = await all(events.read('account-1'));
      expect(event).toMatchObject({
        ...{ type: 'bank.paid-in', stream: 'account-1', version: 1, position: 1, time, tags: ['of:7', 'x'] },
        message: { correlationid: 'c', causationid: 'd', actor: 'ada', subject: 'account-1', partitionkey: '1' },
      });
      expect(event!.data).toBeInstanceOf(PaidIn);
    });

    it('goes to several streams of one partition, all or none', async () => {
      await events.append('account-1', paid(1), { key: 'k' });
      const both = (expected: number) =>
        events.appendAll([
          { stream: 'account-1', events: paid(-5), key: 'k', expected: 1 },
          { stream: { category: 'savings-account', id: '2' }, events: paid(4, 1), key: 'k', expected },
        ]);
      expect(await both(1)).toEqual({ status: 'conflict', stream: 'savings-account-2', expected: 1, actual: 0 });
      expect(await both(0)).toEqual({
        status: 'appended',
        appended: [
          { version: 2, first: 2, position: 2 },
          { version: 2, first: 3, position: 4 },
        ],
      });
      expect(await amounts(events.readCategory('savings-account'))).toEqual([4, 1]);
    });

    it('refuses streams of several partitions', async () => {
      const streams = ['1', '2', '3', '4', '5'].map((id) => ({ stream: `account-${id}`, events: paid(1) }));
      await expect(events.appendAll(streams)).rejects.toThrow('a commit holds one: give both the same key');
      expect(await heads()).toEqual([0, 0, 0]);
    });
  });

  describe('appendIf', () => {
    const key = 'k';
    const query = [{ tags: ['seat:1'] }];

    it('is done when nothing has happened since, and answers what has', async () => {
      const take = (after: number) => events.appendIf(paid(1), { query, after }, { key, tags: ['seat:1'] });
      expect(await take(0)).toEqual({ status: 'appended', version: 0, first: 1, position: 1 });
      expect(await take(0)).toEqual({ status: 'conflict', position: 1 });
      expect(await take(1)).toMatchObject({ status: 'appended', position: 2 });
    });

    it('looks at types', async () => {
      await events.append('note-1', [new Noted('x')], { key, tags: ['seat:1'] });
      const take = (types: string[]) =>
        events.appendIf(paid(1), { query: [{ tags: ['seat:1'], types }], after: 0 }, { key, tags: ['seat:1'] });
      expect(await take(['bank.noted'])).toEqual({ status: 'conflict', position: 1 });
      expect(await take(['bank.paid-in'])).toMatchObject({ status: 'appended', position: 2 });
    });

    it.each([1, 60_000])('with ids is done once, remembered for %i ms', async (dedupeWindowMs) => {
      const other = new Broker(store, { context: broker.context, partitions: 3, dedupeWindowMs });
      const short = new EventStore(other, [PaidIn]);
      const take = () =>
        short.appendIf(paid(1, 2), { query, after: 0 }, { key, tags: ['seat:1'], stream: 'seat-1', ids: ['a', 'b'] });
      const first = await take();
      expect(first).toMatchObject({ status: 'appended', version: 2, position: 2 });
      await events.append('seat-1', paid(3), { key, tags: ['seat:1'] });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await take()).toEqual(first);
      expect(await amounts(events.read('seat-1', { key }))).toEqual([1, 2, 3]);
    });
  });

  describe('reading', () => {
    it('goes through a stream in both directions, from a version, so far as asked', async () => {
      await events.append('account-1', paid(1, 2, 3, 4, 5));
      const read = (options = {}) => amounts(events.read('account-1', { pageSize: 2, ...options }));
      expect(await read()).toEqual([1, 2, 3, 4, 5]);
      expect(await read({ from: 3 })).toEqual([3, 4, 5]);
      expect(await read({ from: 3, limit: 2 })).toEqual([3, 4]);
      expect(await read({ backwards: true })).toEqual([5, 4, 3, 2, 1]);
      expect(await read({ backwards: true, from: 2 })).toEqual([2, 1]);
      expect(await read({ limit: 0 })).toEqual([]);
      expect(await amounts(events.read('account-none'))).toEqual([]);
    });

    it('travels to a position or a time, in both directions', async () => {
      for (const figure of [1, 2, 3, 4]) {
        await events.append('account-1', paid(figure));
        now += 1_000;
      }
      const at = (upTo: number | Date, backwards = false) =>
        amounts(events.read('account-1', { upTo, backwards, pageSize: 3 }));
      expect(await at(2)).toEqual([1, 2]);
      expect(await at(0)).toEqual([]);
      expect(await at(new Date(now - 2_000))).toEqual([1, 2, 3]);
      expect(await at(new Date(now - 2_001), true)).toEqual([2, 1]);
      expect(await at(3, true)).toEqual([3, 2, 1]);
    });

    it('finds events by tag, category and feed, over all partitions in the order of their times', async () => {
      for (let n = 1; n <= 9; n++) {
        await events.append(`account-${n}`, paid(n), { tags: n % 2 ? ['odd'] : [] });
        now += 1_000;
      }
      const page = { pageSize: 2 };
      expect(await amounts(events.readTagged('odd', page))).toEqual([1, 3, 5, 7, 9]);
      expect(await amounts(events.readCategory('account', page))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(await amounts(events.readAll({ ...page, backwards: true, limit: 4 }))).toEqual([9, 8, 7, 6]);
      expect(await amounts(events.readAll({ ...page, upTo: new Date(now - 8_000) }))).toEqual([1, 2]);
      const { partition, position } = (await all(events.read('account-9')))[0]!;
      const rest = { ...page, partition: partition.index, from: position };
      expect(await amounts(events.readAll(rest))).toEqual([9]);
      expect(await amounts(events.readTagged('odd', { key: '9', backwards: true, limit: 1 }))).toEqual([9]);
    });

    it('asks for the next page when it is wanted', async () => {
      await events.append('account-1', paid(...Array.from({ length: 100 }, (_, i) => i)));
      const reads = jest.spyOn(store, 'readStream');
      let given = 0;
      for await (const _event of events.read('account-1', { pageSize: 10 })) if (++given === 15) break;
      expect(reads).toHaveBeenCalledTimes(2);
      reads.mockRestore();
    });
  });

  describe('within a handler', () => {
    const message = { id: 'm1', type: 'bank.pay', actor: 'ada' } as Envelope;

    async function inHandler(work: () => Promise<void>) {
      const unit = new UnitOfWork(message, broker);
      await unit.run(work);
      return store.commit(await unit.toCommit(broker.partitionFor('1')));
    }

    it('appends with the commit, caused by what is handled', async () => {
      const result = await inHandler(async () => {
        expect(await events.append('account-1', paid(1), { expected: 'none' })).toEqual({ status: 'staged' });
        expect(await events.append('account-1', paid(2), { expected: 1 })).toEqual({ status: 'staged' });
        expect(await amounts(events.read('account-1'))).toEqual([]);
      });
      expect(result.status).toBe('committed');
      const [first] = await all(events.read('account-1'));
      expect(first!.message).toMatchObject({ correlationid: 'm1', causationid: 'm1', actor: 'ada' });
      expect(await amounts(events.read('account-1'))).toEqual([1, 2]);
    });

    it('answers a conflict at once, with what the handler has appended itself', async () => {
      await inHandler(async () => {
        await events.append('account-1', paid(1));
        const conflict = await events.append('account-1', paid(2), { expected: 'none' });
        expect(conflict).toEqual({ status: 'conflict', expected: 'none', actual: 1 });
        expect(await events.append('account-1', paid(3), { expected: 'exists' })).toEqual({ status: 'staged' });
      });
      expect(await amounts(events.read('account-1'))).toEqual([1, 3]);
    });

    it('is refused when somebody changes the stream before the commit', async () => {
      const result = await inHandler(async () => {
        await events.append('account-1', paid(1), { expected: 'none' });
        await store.commit({
          partition: broker.partitionFor('1'),
          guards: [],
          writes: [{ kind: 'append', stream: 'account-1', events: ['x'] }],
        });
      });
      expect(result).toEqual({ status: 'refused', guard: 'version', found: '1' });
    });

    it('answers as the first time what was appended with these ids', async () => {
      const first = await events.append('account-1', paid(1), { ids: ['a'] });
      await inHandler(async () => {
        expect(await events.append('account-1', paid(1), { ids: ['a'] })).toEqual(first);
        expect(await events.append('account-1', paid(2), { ids: ['b'] })).toEqual({ status: 'staged' });
      });
      expect(await events.append('account-1', paid(2), { ids: ['b'] })).toMatchObject({ version: 2, position: 2 });
      expect(await amounts(events.read('account-1'))).toEqual([1, 2]);
    });

    it('guards what a decision depends on', async () => {
      const condition = { query: [{ tags: ['seat:1'] }], after: 0 };
      const take = () => events.appendIf(paid(1), condition, { key: '1', tags: ['seat:1'] });
      let late = false;
      const result = await inHandler(async () => {
        expect(await take()).toEqual({ status: 'staged' });
        const tags = [['seat:1']];
        const writes = [{ kind: 'append', events: ['x'], tags }] as const;
        late = (await store.commit({ partition: broker.partitionFor('1'), guards: [], writes })).status === 'committed';
      });
      expect(late).toBe(true);
      expect(result).toEqual({ status: 'refused', guard: 'tags', found: '1' });
      await inHandler(async () => expect(await take()).toEqual({ status: 'conflict', position: 1 }));
    });
  });

  describe('bad input', () => {
    const bad: [string, () => Promise<unknown>, string][] = [
      ['a version below 0', () => events.append('a-1', paid(1), { expected: -1 }), 'expected: -1 must be'],
      ['half a version', () => events.append('a-1', paid(1), { expected: 1.5 }), 'expected: 1.5 must be'],
      ['no number', () => events.append('a-1', paid(1), { expected: Number.NaN }), 'expected: NaN must be'],
      [
        'a version as text',
        () => events.append('a-1', paid(1), JSON.parse('{"expected":"2"}') as AppendOptions),
        "expected: '2' must be",
      ],
      ['no events', () => events.append('a-1', []), 'stream a-1: nothing to append'],
      ['no streams', () => events.appendAll([]), 'nothing to append'],
      [
        'an empty append among others',
        () =>
          events.appendAll([
            { stream: 'a-1', events: paid(1) },
            { stream: 'a-1', events: [] },
          ]),
        'nothing',
      ],
      [
        'an undeclared event',
        () => events.append('a-1', [...paid(1), new Undeclared()]),
        'bank.undeclared is not declared here: add Undeclared',
      ],
      [
        'another class of its type',
        () => events.append('a-1', [new LaterPaidIn()]),
        'bank.paid-in is not declared here: add LaterPaidIn',
      ],
      ['no message', () => events.append('a-1', [{ amount: 1 }]), 'is not a message'],
      ['a command', () => events.append('a-1', [new Pay()]), 'bank.pay is a command: only events are appended'],
      ['an invalid event', () => events.append('a-1', [...paid(1), new PaidIn(0.5)]), 'bank.paid-in'],
      ['an oversize event', () => events.append('a-1', [new Noted('x'.repeat(300_000))]), 'bytes, the limit is'],
      ['too few ids', () => events.append('a-1', paid(1, 2), { ids: ['a'] }), 'ids: 2 events need as many ids'],
      ['one id twice', () => events.append('a-1', paid(1, 2), { ids: ['a', 'a'] }), 'ids: 2 events need'],
      ['a bad id', () => events.append('a-1', paid(1), { ids: ['a b'] }), 'event id "a b" cannot be used'],
      ['a bad tag', () => events.append('a-1', paid(1), { tags: ['a b'] }), 'tag "a b" cannot be used'],
      [
        'a time that is none',
        () => events.append('a-1', paid(1), { metadata: { time: new Date('?') } }),
        'metadata.time',
      ],
      [
        'a query without tags',
        () => events.appendIf(paid(1), { query: [{ tags: [] }], after: 0 }, { key: 'k' }),
        'at least one tag',
      ],
      ['no query', () => events.appendIf(paid(1), { query: [], after: 0 }, { key: 'k' }), 'at least one { tags }'],
      [
        'a position below 0',
        () => events.appendIf(paid(1), { query: [{ tags: ['t'] }], after: -1 }, { key: 'k' }),
        'after: -1',
      ],
      ['events of no partition', () => events.appendIf(paid(1), { query: [{ tags: ['t'] }], after: 0 }), 'say the key'],
      ...['{}', '*', 'a\r\nb', 'a\0', 'a/../b', '', ' '].map((name): [string, () => Promise<unknown>, string] => [
        `the name ${JSON.stringify(name)}`,
        () => events.append(name, paid(1)),
        'stream',
      ]),
      ['a category with braces', () => events.append({ category: '{a}', id: '1' }, paid(1)), 'category'],
      ['a stream without id', () => events.append({ category: 'a', id: '' }, paid(1)), 'a category and an id'],
    ];

    it.each(bad)('refuses %s, and writes nothing', async (_what, append, message) => {
      await expect(append()).rejects.toThrow(message);
      expect(await heads()).toEqual([0, 0, 0]);
    });

    it('is refused where it is read', () => {
      expect(() => events.read('a*')).toThrow('stream "a*" cannot be used');
      expect(() => events.readTagged('a b')).toThrow('tag "a b" cannot be used');
      expect(() => events.readCategory('{}')).toThrow('category "{}" cannot be used');
      expect(() => events.read('a-1', { from: 0 })).toThrow('from: 0 must be an integer of at least 1');
      expect(() => events.read('a-1', { upTo: new Date('?') })).toThrow('upTo must be a position or a valid Date');
      expect(() => events.readAll({ from: 1 })).toThrow('from: 1 is a position of one partition');
      expect(() => events.readAll({ partition: 3 })).toThrow('partition: 3 must be one of 0 to 2');
    });

    it('refuses two classes of one event type', () => {
      expect(() => events.declare([LaterPaidIn])).toThrow('PaidIn and LaterPaidIn are both bank.paid-in');
      expect(() => new EventStore(broker, [Pay])).toThrow('Pay is bank.pay, a command: only events are stored');
    });
  });

  it.each([
    ['damaged', '{"specversion":"1.0","type":', 'event'],
    [
      'of an unknown type',
      JSON.stringify({ specversion: '1.0', id: 'x', source: '/x', type: 'bank.gone', data: {} }),
      'bank.gone',
    ],
    [
      'of an unknown version',
      JSON.stringify({ specversion: '1.0', id: 'x', source: '/x', type: 'bank.paid-in', schemaversion: 9, data: {} }),
      'bank.paid-in',
    ],
  ])('stops at an event that is %s, says where, and reads on behind it', async (_what, text, type) => {
    await events.append('account-1', paid(1));
    const writes = [{ kind: 'append', stream: 'account-1', events: [text] }] as const;
    await store.commit({ partition: broker.partitionFor('1'), guards: [], writes });
    await events.append('account-1', paid(3));
    const seen: number[] = [];
    const reading = async () => {
      for await (const { version } of events.read('account-1')) seen.push(version!);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'unreadable-event', stream: 'account-1', position: 2, type });
    expect(seen).toEqual([1]);
    expect(await amounts(events.read('account-1', { from: 3 }))).toEqual([3]);
  });
});
