import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { Command, Event } from '@millrace/messages';
import { jest } from '@jest/globals';
import { UnreadableEventError } from './errors.js';
import { EventStore } from './event-store.js';
import { live } from './live.js';

@Event('bank.paid-in')
class PaidIn {
  constructor(readonly amount: number) {}
}

@Event('bank.paid-out')
class PaidOut {
  constructor(readonly amount: number) {}
}

@Event('bank.noted')
class Noted {
  constructor(readonly text: string) {}
}

@Event('bank.paid-in', { version: 2 })
class LaterPaidIn {
  constructor(readonly cents: number) {}
}

@Command('bank.pay')
class Pay {}

const balance = live({
  initial: () => ({ sum: 0 }),
  evolve: (on) => [
    on(PaidIn, ({ sum }, { amount }) => ({ sum: sum + amount })),
    on(PaidOut, ({ sum }, { amount }) => ({ sum: sum - amount })),
  ],
});
const payments = live({
  initial: (): number[] => [],
  evolve: (on) => [on(PaidIn, (all, { amount }) => [...all, amount])],
});

const stores: [string, () => Promise<PartitionStore>][] = [
  ['memory', async () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => RedisPartitionStore.connect({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a live view of events in %s', (_name, open) => {
  let store: PartitionStore;
  let broker: Broker;
  let events: EventStore;
  let now: number;
  const start = Date.UTC(2026, 0, 1);
  const after = (hours: number) => new Date(start + hours * 3_600_000);

  beforeAll(async () => {
    store = await open();
  });
  beforeEach(async () => {
    now = start;
    broker = new Broker(store, {
      context: `bank-${randomUUID().slice(0, 8)}`,
      partitions: 3,
      clock: { now: () => now },
    });
    events = new EventStore(broker, [PaidIn, PaidOut, Noted]);
    // Hour by hour, on two accounts of two people.
    for (const [account, event] of [
      ['1', new PaidIn(10)],
      ['2', new PaidIn(5)],
      ['1', new Noted('so far')],
      ['1', new PaidOut(3)],
      ['2', new PaidIn(1)],
    ] as const) {
      await events.append(`account-${account}`, [event], { key: 'north', tags: [`owner:${account}`, 'of:bank'] });
      now += 3_600_000;
    }
  });
  afterAll(() => store.close());

  const key = 'north';

  it('is what the events of a stream make, whether it takes them or not, as soon as they are stored', async () => {
    expect(await events.fold(balance, 'account-1', { key })).toEqual({ state: { sum: 7 }, version: 3, position: 4 });
    await events.append('account-1', [new PaidIn(100)], { key, expected: 3 });
    expect(await events.fold(balance, 'account-1', { key })).toMatchObject({ state: { sum: 107 }, version: 4 });
    const other = { category: 'account', id: '2' };
    expect(await events.fold(payments, other, { key })).toEqual({ state: [5, 1], version: 2, position: 5 });
  });

  it('is as it begins where there are no events, and nobody else has that state', async () => {
    const [first, second] = await Promise.all([events.fold(payments, 'account-9'), events.fold(payments, 'account-9')]);
    expect(first).toEqual({ state: [], version: 0, position: 0 });
    expect(second.state).not.toBe(first.state);
  });

  it('is made of a tag or a category', async () => {
    expect(await events.fold(balance, { tag: 'owner:1' })).toMatchObject({ state: { sum: 7 }, position: 4 });
    expect(await events.fold(payments, { category: 'account' })).toMatchObject({ state: [10, 5, 1], position: 5 });
    expect(await events.fold(balance, { tag: 'of:bank' }, { key, pageSize: 2 })).toMatchObject({ state: { sum: 13 } });
  });

  it('is made of all partitions, in the order of their times', async () => {
    for (const [n, other] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      await events.append(`till-${other}`, [new PaidIn(n)]);
      now += 1;
    }
    expect((await events.fold(payments, { category: 'till' })).state).toEqual([0, 1, 2, 3, 4]);
  });

  it('shows the past, by position and by time', async () => {
    const at = async (upTo: number | Date) =>
      (await events.fold(balance, { category: 'account' }, { key, upTo })).state;
    expect(await Promise.all([0, 1, 2, 3, 4, 5].map(async (position) => (await at(position)).sum))).toEqual([
      ...[0, 10, 15, 15, 12, 13],
    ]);
    expect(await Promise.all([-1, 0, 1.5, 3, 9].map(async (hours) => (await at(after(hours))).sum))).toEqual([
      ...[0, 10, 15, 12, 13],
    ]);
    expect(await events.fold(balance, 'account-1', { key, upTo: 3 })).toEqual({
      ...{ state: { sum: 10 }, version: 2, position: 3 },
    });
    expect(await events.fold(balance, 'account-1', { key, upTo: after(3) })).toMatchObject({ version: 3 });
  });

  it('is what a decision depends on, as long as nothing else has happened', async () => {
    const tag = 'owner:2';
    const payOut = async (meanwhile?: object) => {
      const { state, position } = await events.fold(balance, { tag }, { key });
      if (meanwhile) await events.append('account-2', [meanwhile], { key, tags: [tag] });
      const condition = { query: [{ tags: [tag] }], after: position };
      return events.appendIf([new PaidOut(state.sum)], condition, { key, stream: 'account-2', tags: [tag] });
    };
    expect(await payOut(new Noted('not so fast'))).toEqual({ status: 'conflict', position: 6 });
    expect(await payOut()).toMatchObject({ status: 'appended', version: 4 });
    expect(await events.fold(balance, { tag })).toMatchObject({ state: { sum: 0 } });
  });

  it('holds one page of the events at a time', async () => {
    await events.append(
      'account-3',
      Array.from({ length: 25 }, () => new PaidIn(1)),
    );
    const counted = live({ initial: () => 0, evolve: (on) => [on(PaidIn, (n) => n + 1)] });
    const reads = jest.spyOn(store, 'readStream');
    expect(await events.fold(counted, 'account-3', { pageSize: 10 })).toMatchObject({ state: 25, version: 25 });
    expect(reads.mock.calls.map(([, , options]) => options?.limit)).toEqual([10, 10, 10]);
    reads.mockRestore();
  });

  it('needs no class for events that it does not take, and says what is wrong with those that it does', async () => {
    const bare = new EventStore(broker);
    expect(await bare.fold(payments, 'account-1', { key })).toMatchObject({ state: [10], version: 3 });
    const later = live({ initial: () => 0, evolve: (on) => [on(LaterPaidIn, (sum, { cents }) => sum + cents)] });
    const folded = bare.fold(later, 'account-1', { key });
    await expect(folded).rejects.toBeInstanceOf(UnreadableEventError);
    await expect(folded).rejects.toThrow('has schema version 1, LaterPaidIn has 2: declare an upcast');
  });

  it('refuses what no events could answer', async () => {
    const upTo = events.fold(balance, { tag: 'owner:1' }, { upTo: 3 });
    await expect(upTo).rejects.toThrow('upTo: 3 is a position of one partition: say the partition or the key');
    await expect(events.fold(balance, 'a*')).rejects.toThrow('stream "a*" cannot be used');
    await expect(events.fold(balance, { category: '{}' })).rejects.toThrow('category "{}" cannot be used');
    await expect(events.fold(balance, 'account-1', { upTo: new Date('?') })).rejects.toThrow('upTo must be');
  });
});

describe('live', () => {
  it('refuses an event twice, and what is no event', () => {
    const of = (...contracts: (typeof PaidIn | typeof Pay)[]) =>
      live({ initial: () => 0, evolve: (on) => contracts.map((contract) => on<object>(contract, (n) => n + 1)) });
    expect(() => of(PaidIn, PaidIn)).toThrow('a live view evolves on bank.paid-in twice: keep one of them');
    expect(() => of(Pay)).toThrow('a live view evolves on bank.pay, a command: only events change it');
  });
});
