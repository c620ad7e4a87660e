import { Command, Event, Reply } from '@millrace/messages';
import { refused } from './call.js';
import { saga } from './dsl/saga.js';
import { explore } from './explore.js';
import { BrokenInvariantError } from './explore/explore-result.js';
import { invariant } from './explore/invariants.js';
import { OrderPlaced, placeOrder, ReserveStock } from './place-order.fixture.js';
import type { PlaceOrderState } from './place-order.fixture.js';
import { BookRoom, HotelFull, RoomBooked, Trip, TripWanted } from './trip.fixture.js';

@Event('test.agreed', { key: 'id' })
class Agreed {
  constructor(readonly id: string) {}
}

@Reply('test.counted')
class Counted {
  constructor(readonly count: number) {}
}

@Command('test.count')
class CountThem extends Command<Counted> {
  constructor(readonly of: string) {
    super();
  }
}

interface State {
  readonly id: string;
  readonly at?: unknown;
  readonly rooms?: number;
}

const start = () => saga<State>().startsOn(TripWanted, ({ trip }) => ({ id: trip }));
const booked = () =>
  start().step('book', (s) =>
    s
      .sends(({ id }) => new BookRoom(id))
      .onReply(RoomBooked, (state) => ({ ...state, rooms: (state.rooms ?? 0) + 1 }))
      .failsOn(HotelFull),
  );

/** What is wrong with a saga, by the explorer's words. */
function problemOf(of: () => unknown): BrokenInvariantError['problem'] {
  try {
    of();
  } catch (error) {
    if (error instanceof BrokenInvariantError) return error.problem;
    throw error;
  }
  throw new Error('nothing is wrong');
}

describe('exploring a saga', () => {
  it('goes every way of an order, and tells how many there are', () => {
    const result = explore(placeOrder);
    console.log(String(result));

    expect(result.exhausted).toBe(true);
    expect(Object.keys(result.endings).sort()).toEqual(['compensated', 'completed', 'parked']);
    expect(result.paths).toBeGreaterThan(BigInt(result.states));
    expect(String(result)).toMatch(/^place-order: \d+ states, \d+ transitions, \d+ ways; .*\d+ completed/);
  });

  it('stops at so many states, and says so', () => {
    const result = explore(Trip, { maxStates: 1000 });
    console.log(String(result));

    expect(result.exhausted).toBe(false);
    expect(result.left).toBeGreaterThan(0);
    expect(result.paths).toBeUndefined();
    expect(String(result)).toContain(`not exhausted: ${result.left} states`);
  });

  it('goes fewer ways without people, cancels and repeated failures', () => {
    const all = explore(placeOrder);
    const some = explore(placeOrder, { people: false, cancels: false, attempts: 1 });
    console.log(String(some));

    expect(some.states).toBeLessThan(all.states);
    expect(some.exhausted).toBe(true);
  });

  it('takes messages that are given in place of those made up', () => {
    const definition = start()
      .step('count', (s) =>
        s.sends(({ id }) => new CountThem(id)).onReply(Counted, (state, { count }) => ({ ...state, rooms: count })),
      )
      .named('counting');
    const seen = new Set<unknown>();
    const watch = invariant<State>('any', ({ id, rooms }) => (seen.add(id).add(rooms), true));
    explore(definition, {
      given: new TripWanted('t1'),
      samples: [new Counted(1), new Counted(2)],
      invariants: [watch],
    });

    expect([...seen]).toEqual(['t1', undefined, 1, 2]);
  });
});

describe('exploring finds', () => {
  it('the shortest script that breaks an invariant of the user', () => {
    const noRoom = invariant<State>('no room is booked', ({ rooms = 0 }) => rooms === 0);

    expect(() => explore(booked().named('rooms'), { invariants: [noRoom] })).toThrow(
      [
        `saga 'rooms' breaks "no room is booked": it does not hold for {"id":"trip","rooms":1}`,
        '  1. given travel.trip-wanted',
        `  2. 'book': answered hotel.booked`,
      ].join('\n'),
    );
  });

  it('what an invariant says about the history', () => {
    const patient = invariant<PlaceOrderState>('the payment is refunded at the first attempt', (_, history) =>
      history.every(
        ({ step, direction, what }) => step !== 'take payment' || direction !== 'undo' || what !== 'refused',
      ),
    );

    expect(problemOf(() => explore(placeOrder, { invariants: [patient] })).script.at(-1)).toBe(
      `'take payment' undone: fails`,
    );
  });

  it('a state that JSON does not keep', () => {
    const definition = booked()
      .step('note', (s) => s.calls(() => new Date(0)).onResult((state, at) => ({ ...state, at })))
      .named('dated');

    expect(problemOf(() => explore(definition, { answers: { note: [new Date(0)] } }))).toMatchObject({
      invariant: 'the state is JSON',
      what: 'state.at is a Date',
    });
  });

  it('an event that is never the right one', () => {
    const definition = start()
      .waitFor('the yes', Agreed, { accepts: (_, { id }) => id === 'never' })
      .named('stubborn');

    expect(problemOf(() => explore(definition, { cancels: false })).invariant).toBe('it always comes to an end');
  });

  it('a function that cannot take what comes', () => {
    const definition = start()
      .step('count', (s) =>
        s
          .sends(({ id }) => new CountThem(id))
          .onReply(Counted, (state, { count }) => ({ ...state, rooms: Number(count.toFixed()) })),
      )
      .named('counting');

    expect(problemOf(() => explore(definition)).what).toMatch(/TypeError.*give explore \{ given, samples, answers \}/);
    expect(explore(definition, { samples: [new Counted(1)] }).exhausted).toBe(true);
  });

  it('a message that is made of what may be missing when a step is undone without its answer', () => {
    const definition = saga<{ id: string; room?: { name: string } }>()
      .startsOn(OrderPlaced, ({ orderId }) => ({ id: orderId }))
      .step('reserve', (s) =>
        s
          .calls(() => ({ name: 'r1' }))
          .onResult((state, room) => ({ ...state, room }))
          .compensates(() => undefined),
      )
      .step('stock', (s) => s.calls(() => refused('no')))
      .onCompensated(({ room }) => new ReserveStock(room!.name))
      .named('hasty');

    expect(problemOf(() => explore(definition))).toMatchObject({
      invariant: 'it decides on everything that can happen',
      script: expect.arrayContaining(['given order.placed']),
    });
  });
});
