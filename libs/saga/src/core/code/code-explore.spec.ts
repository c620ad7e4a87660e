import { randomUUID } from 'node:crypto';
import { Command, Reply } from '@millrace/messages';
import { IsInt } from 'class-validator';
import { refused } from '../call.js';
import { explore } from '../explore.js';
import { BrokenInvariantError } from '../explore/explore-result.js';
import { invariant } from '../explore/invariants.js';
import {
  BookRoom,
  FlightFull,
  HotelFull,
  RoomBooked,
  RoomCancelled,
  SeatBooked,
  SeatCancelled,
  TravellerAgreed,
  TripWanted,
} from '../trip.fixture.js';
import type { CodeState } from './code-state.js';
import type { CodeSteps } from './code-steps.js';
import { codedTrip } from './code-trip.fixture.js';
import { sagaByCall, sagaOf } from './saga-of.js';

const answers = {
  'hotel.book': [new RoomBooked('r1'), new HotelFull('May')],
  'flight.book': [new SeatBooked('4a'), new FlightFull('today')],
  'hotel.cancel': [new RoomCancelled('yes')],
  'flight.cancel': [new SeatCancelled('yes')],
  insure: [{ checked: 'yes' }],
};
const given = new TripWanted('t1');

type Body = (saga: CodeSteps) => Promise<unknown>;
const coded = (body: Body) => sagaByCall(body).named('coded');
const exploreCode = (body: Body) => explore(coded(body), { given: {}, answers, attempts: 1, people: false });

async function problemOf(explored: Promise<unknown>): Promise<BrokenInvariantError['problem']> {
  const error = await explored.then(
    () => new Error('nothing is wrong'),
    (reason: unknown) => reason,
  );
  if (error instanceof BrokenInvariantError) return error.problem;
  throw error;
}

describe('exploring a saga in code', () => {
  it('goes every way of every operation, and tells how many there are', async () => {
    const outputs = new Set<unknown>();
    const result = await explore(codedTrip(), {
      given,
      answers,
      samples: [new TravellerAgreed('t1')],
      attempts: 1,
      cancels: false,
      people: false,
      invariants: [
        invariant('a trip has a room', ({ output }) => {
          outputs.add(output?.seat);
          return output === undefined || output.room === 'r1';
        }),
      ],
    });
    console.log(String(result));

    expect(result.exhausted).toBe(true);
    expect(Object.keys(result.endings).sort()).toEqual(['compensated', 'completed', 'parked']);
    expect(result.paths).toBeGreaterThan(BigInt(result.states));
    // With a seat, and by train.
    expect(outputs).toEqual(new Set([undefined, '4a']));
  });

  it('lets it be cancelled at any moment, and people decide', async () => {
    const result = await explore(codedTrip(), {
      given,
      answers,
      samples: [new TravellerAgreed('t1')],
      maxStates: 1500,
    });
    console.log(String(result));

    expect(result.exhausted).toBe(false);
    expect(result.left).toBeGreaterThan(0);
  });

  it('makes up the replies that the contract of a command lists', async () => {
    @Reply('test.counted')
    class Counted {
      @IsInt() readonly count: number;

      constructor(count: number) {
        this.count = count;
      }
    }
    @Command('test.count', { replies: [Counted] })
    class Count extends Command<Counted> {}
    const seen = new Set<unknown>();
    await explore(
      coded((saga) => saga.send('count', new Count())),
      {
        given: {},
        samples: [new Counted(1), new Counted(2)],
        invariants: [invariant<CodeState<object>>('any', ({ output }) => seen.add(output) !== undefined)],
      },
    );

    expect([...seen]).toEqual([undefined, { count: 1 }, { count: 2 }]);
  });

  it('undoes in reverse what was begun one after the other, also when a refusal was caught between', async () => {
    const { exhausted, endings } = await exploreCode(async (saga) => {
      await saga.step(
        'first',
        () => 1,
        () => undefined,
      );
      await saga
        .send('hotel', new BookRoom('t1'), { undo: () => new BookRoom('none'), within: '5s' })
        .catch(() => undefined);
      await Promise.race([saga.step('slow', () => 1), saga.sleep('a while', '1m')]);
      await saga.step(
        'last',
        () => refused('no'),
        () => undefined,
      );
    });

    expect(exhausted).toBe(true);
    expect(Object.keys(endings).sort()).toEqual(['compensated', 'completed', 'parked']);
  });
});

describe('exploring a saga in code finds', () => {
  it('that it begins other operations when it is run again', async () => {
    let runs = 0;
    const problem = await problemOf(exploreCode((saga) => saga.step(`step ${runs++}`, () => 1)));

    expect(problem.invariant).toBe('the same is decided again after a crash');
  });

  it('what it takes of something that is not recorded', async () => {
    const problem = await problemOf(exploreCode((saga) => saga.send('book', new BookRoom(randomUUID()))));

    expect(problem).toMatchObject({ invariant: 'the same is decided again after a crash', script: ['called'] });
  });

  it('a defect, and the shortest way to it', async () => {
    const problem = await problemOf(
      exploreCode(async (saga) => {
        const { room } = await saga.send('book', new BookRoom('t1'));
        await saga.step('check in', () => 1);
        return (JSON.parse(room) as string).trim();
      }),
    );

    expect(problem.invariant).toBe('its code can always go on');
    expect(problem.what).toMatch(/its code failed: SyntaxError/);
    expect(problem.script).toEqual(['called', `'book': answered hotel.booked`, `'check in': the function answers`]);
  });

  it('an operation that nobody waits for', async () => {
    const problem = await problemOf(
      exploreCode(async (saga) => {
        await saga.step('first', () => 1);
        void saga.step('second', () => 2);
      }),
    );

    expect(problem.what).toMatch(/returned without waiting for 'second'/);
  });

  it('what breaks an invariant of the user', async () => {
    const noRoom = invariant<CodeState<TripWanted>>('no room is booked', (state) => state['book hotel'] === undefined);
    const explored = explore(codedTrip(), {
      given,
      answers,
      samples: [new TravellerAgreed('t1')],
      invariants: [noRoom as never],
    });

    expect((await problemOf(explored)).script).toEqual([
      'given travel.trip-wanted',
      `'the traveller': answered saga.locked`,
      `'book hotel': answered hotel.booked`,
    ]);
  });
});

describe('a saga in code is refused by the explorer', () => {
  const byEvent = sagaOf(TripWanted, (saga, { trip }) => saga.send('book', new BookRoom(trip))).named('coded');

  it('without what it starts with', async () => {
    await expect(async () => explore(byEvent)).rejects.toThrow(
      `saga 'coded' is written as code: give explore { given }`,
    );
  });

  it('without the replies to a command that does not list them', async () => {
    await expect(explore(byEvent, { given })).rejects.toThrow(`give explore { answers: { 'hotel.book': [...] } }`);
  });

  it('without an event that it waits for', async () => {
    await expect(explore(codedTrip(), { given, answers })).rejects.toThrow(
      'give explore { samples: [new TravellerAgreed(...)] }',
    );
  });
});
