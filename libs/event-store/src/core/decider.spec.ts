import { Broker, InMemoryPartitionStore, UnitOfWork } from '@millrace/broker';
import { Command, Event } from '@millrace/messages';
import { newAggregate, takeRecorded } from './aggregate-model.js';
import { decider } from './decider.js';
import { refuse } from './decider-instance.js';
import { Repository } from './repository.js';

@Event('till.paid-in')
class PaidIn {
  constructor(readonly amount: number) {}
}

@Event('till.paid-out')
class PaidOut {
  constructor(readonly amount: number) {}
}

@Event('till.robbed')
class TillRobbed {
  constructor(readonly amount: number) {}
}

@Command('till.pay')
class Pay extends Command<PaidIn> {
  constructor(readonly amounts: readonly number[]) {
    super();
  }
}

const till = decider({
  name: 'till',
  initial: () => ({ balance: 0 }),
  evolve: (on) => [
    on(PaidIn, ({ balance }, { amount }) => ({ balance: balance + amount })),
    on(PaidOut, ({ balance }, { amount }) => ({ balance: balance - amount })),
  ],
  decide: ({ amounts }: Pay, { balance }) => {
    const short = amounts.reduce((sum, amount) => sum + amount, balance);
    if (short < 0) return refuse(`${-short} short`);
    return amounts.map((amount) => (amount < 0 ? new PaidOut(-amount) : new PaidIn(amount)));
  },
});

describe('a decider', () => {
  it('decides on a command, and evolves by what happens', () => {
    const north = newAggregate(till, 'north');
    const decision = { events: [new PaidIn(5), new PaidOut(2)], refusal: undefined, state: { balance: 3 }, version: 2 };
    expect(north.decide(new Pay([5, -2]))).toEqual(decision);
    expect(north).toMatchObject({ id: 'north', version: 2, state: { balance: 3 } });
    expect(takeRecorded(north)).toEqual(decision.events);
  });

  it('says why it refuses, and nothing happens then', () => {
    const north = newAggregate(till, 'north');
    expect(north.decide(new Pay([2, -5]))).toEqual({
      events: [],
      refusal: '3 short',
      state: { balance: 0 },
      version: 0,
    });
    expect(takeRecorded(north)).toEqual([]);
  });

  it('decides by nothing, by one event alone, and never by an event that it does not evolve on', () => {
    const of = (decide: () => PaidIn | readonly PaidIn[]) =>
      newAggregate(
        decider({ name: 'till', initial: () => 0, evolve: (on) => [on(PaidIn, (n) => n + 1)], decide }),
        'north',
      );
    expect(of(() => []).decide(undefined)).toMatchObject({ events: [], version: 0, state: 0 });
    expect(of(() => new PaidIn(1)).decide(undefined)).toMatchObject({ events: [new PaidIn(1)], version: 1, state: 1 });
    // The compiler does not tell apart classes of one shape.
    const message = "decider 'till' records till.robbed, but does not evolve on it: add on(TillRobbed)";
    expect(() => of(() => new TillRobbed(1)).decide(undefined)).toThrow(message);
  });

  it('has no state that others share', () => {
    const list = decider({
      name: 'list',
      initial: (): number[] => [],
      evolve: (on) => [on(PaidIn, (amounts, { amount }) => (amounts.push(amount), amounts))],
      decide: (amount: number) => new PaidIn(amount),
    });
    newAggregate(list, 'a').decide(1);
    expect(newAggregate(list, 'b').decide(2).state).toEqual([2]);
  });

  it('is refused with a name that is none, an event twice, and what is no event', () => {
    const rest = { initial: () => 0, decide: () => [] };
    expect(() => decider({ ...rest, name: 'Till {1}', evolve: () => [] })).toThrow('decider "Till {1}" cannot be used');
    expect(() =>
      decider({ ...rest, name: 'till', evolve: (on) => [on(PaidIn, (n) => n), on(PaidIn, (n) => n)] }),
    ).toThrow("decider 'till' evolves on till.paid-in twice");
    expect(() => decider({ ...rest, name: 'till', evolve: (on) => [on(Pay, (n) => n)] })).toThrow(
      'till.pay, a command: only events change it',
    );
  });
});

describe('a repository of a decider', () => {
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'till', partitions: 1 });
  const tills = new Repository(broker, till);

  it('loads, decides and appends; loses nothing of what is decided at the same time', async () => {
    const decisions = await Promise.all([1, 2, 3].map((amount) => tills.decide('a', new Pay([amount]))));
    expect(decisions.map(({ version }) => version).toSorted()).toEqual([1, 2, 3]);
    expect((await tills.load('a')).state).toEqual({ balance: 6 });
    expect(await tills.decide('a', new Pay([-7]))).toMatchObject({ refusal: '1 short', version: 3 });
    expect(await tills.find('b')).toBeUndefined();
  });

  it('takes part in the unit of work of a handler, several decisions behind one guard', async () => {
    const unit = new UnitOfWork();
    await unit.run(async () => {
      await tills.decide('c', new Pay([4]));
      expect(await tills.decide('c', new Pay([-1]))).toMatchObject({ state: { balance: 3 }, version: 2 });
      expect(await tills.decide('c', new Pay([-9]))).toMatchObject({ refusal: '6 short' });
    });
    const commit = await unit.toCommit(broker.partitionFor('c'));
    expect(commit.guards).toEqual([{ kind: 'version', stream: 'till-c', expected: 0 }]);
    expect(await broker.commit(commit)).toMatchObject({ status: 'committed', appended: [{ version: 2 }] });
    expect((await tills.load('c')).state).toEqual({ balance: 3 });
  });

  it('names the decider when a stored event is not its own', async () => {
    const text = JSON.stringify({ specversion: '1.0', id: '1', source: '/x', type: 'till.robbed', data: {} });
    const partition = broker.partitionFor('d');
    await broker.commit({ partition, guards: [], writes: [{ kind: 'append', stream: 'till-d', events: [text] }] });
    const message = "till.robbed: decider 'till' does not evolve on it: add on, or an upcast to a known type";
    await expect(tills.load('d')).rejects.toThrow(message);
  });
});
