import { saga } from '../dsl/saga.js';
import { Saga } from '../saga-class.js';
import { scenario } from '../scenario.js';
import type { Scenario } from '../scenario.js';
import {
  BookRoom,
  BookSeat,
  CancelRoom,
  CancelSeat,
  FlightFull,
  HotelFull,
  RoomBooked,
  RoomCancelled,
  SeatBooked,
  SeatCancelled,
  TravellerAgreed,
  TripBooked,
  TripFailed,
  TripWanted,
} from '../trip.fixture.js';
import type { CodeState } from './code-state.js';
import { CodedJourney, CodedPacking, codedTrip, CodedTrip } from './code-trip.fixture.js';
import { sagaByCall } from './saga-of.js';

type Script = Scenario<CodeState<{ trip: string }>>;

const play = <Answer>(script: (trip: Script) => Answer) => scenario(codedTrip(), (trip) => script(trip as never));
const asked = (trip: Script) =>
  trip.given(new TripWanted('t1')).locks('trip/t1').isGranted().expect(new BookSeat('t1')).expect(new BookRoom('t1'));
const booked = (trip: Script) =>
  asked(trip).reply(new RoomBooked('r1')).replyTo(new BookSeat('t1'), new SeatBooked('4a'));
const insuring = (trip: Script) => {
  return booked(trip).calls('visa of ann').answers('visa 1').calls('visa of bob').answers('visa 2');
};
const agreed = (trip: Script) =>
  insuring(trip)
    .startsChild('insurance', { trip: 't1' })
    .completes({ trip: 't1', checked: 'yes' })
    .happens(new TravellerAgreed('t1'));

describe('a scenario of a saga in code', () => {
  it('plays every operation to the end, and knows the time', async () => {
    const { state, status } = await play((trip) =>
      agreed(trip).after('30d').calls('say goodbye').answers().says(new TripBooked('t1')).ends('completed'),
    );

    expect(status).toBe('completed');
    expect(state.output).toEqual({
      room: 'r1',
      seat: '4a',
      visas: ['visa 1', 'visa 2'],
      checked: 'yes',
      left: new Date(30 * 86_400_000).toISOString(),
    });
  });

  it('begins when it is told to', async () => {
    const { startedAt } = await scenario(
      codedTrip(),
      (trip) => trip.given(new TripWanted('t1')).locks('trip/t1').isTaken().ends('compensated'),
      {
        now: 5_000,
      },
    );

    expect(startedAt).toBe(5_000);
  });

  it('lets the code catch a refusal, and go another way', async () => {
    const { state } = await play((trip) =>
      asked(trip)
        .reply(new RoomBooked('r1'))
        .replyTo(new BookSeat('t1'), new FlightFull('today'))
        .calls('visa of ann')
        .answers('visa 1')
        .calls('visa of bob')
        .answers('visa 2')
        .isCancelled('ill')
        .undoesChild('insurance')
        .isUndone()
        .callsToUndo('visa of bob')
        .answers()
        .callsToUndo('visa of ann')
        .answers()
        .expect(new CancelRoom('t1'))
        .reply(new RoomCancelled('yes'))
        .unlocks('trip/t1')
        .says(new TripFailed('t1', 'ill'))
        .ends('compensated'),
    );

    expect(state).toMatchObject({ 'book hotel': { room: 'r1' }, 'visa of ann': 'visa 1' });
  });

  it('turns round when a refusal is let through: what is under way is undone as soon as it is known', async () => {
    const { failure } = await play((trip) =>
      asked(trip)
        .reply(new HotelFull('May'))
        .replyTo(new BookSeat('t1'), new SeatBooked('4a'))
        .expect(new CancelSeat('t1'))
        .reply(new SeatCancelled('yes'))
        .unlocks('trip/t1')
        .says(new TripFailed('t1', 'full since May'))
        .ends('compensated'),
    );

    expect(failure).toEqual({ step: 'book hotel', reason: 'full since May' });
  });

  it('lets commands and functions time out, fail, and be tried again', async () => {
    await play((trip) =>
      asked(trip)
        .timesOut(new BookSeat('t1'))
        .expect(new CancelSeat('t1'))
        .reply(new SeatCancelled('yes'))
        .replyTo(new BookRoom('t1'), new RoomBooked('r1'))
        .expect(new CancelRoom('t1'))
        .reply(new RoomCancelled('yes'))
        .unlocks('trip/t1')
        .ends('compensated'),
    );
    await play((trip) =>
      booked(trip)
        .calls('visa of ann')
        .throws('no network')
        .calls('visa of ann')
        .answers('visa 1')
        .calls('visa of bob')
        .refuses('a criminal')
        .callsToUndo('visa of ann'),
    );
    await play((trip) => booked(trip).calls('visa of ann').timesOut().calls('visa of ann'));
  });

  it('lets time pass: events that come before, in time, and not', async () => {
    await play((trip) =>
      insuring(trip)
        .happens(new TravellerAgreed('t1'))
        .startsChild('insurance')
        .completes()
        .after('29d')
        .after('1d')
        .calls('say goodbye'),
    );
    await play((trip) => insuring(trip).startsChild('insurance').completes().after('2d').undoesChild('insurance'));
    await play((trip) => insuring(trip).meetsItsDeadline());
  });

  it('only goes forward after the pivot', async () => {
    await play((trip) =>
      agreed(trip)
        .after('30d')
        .calls('say goodbye')
        .throws('no voice')
        .calls('say goodbye')
        .answers()
        .ends('completed'),
    );
    const late = play((trip) => agreed(trip).after('30d').calls('say goodbye').throws('no voice').isCancelled());
    await expect(late).rejects.toThrow('past its pivot');
  });

  it('has people decide about an operation that is parked', async () => {
    const { history } = await play((trip) =>
      asked(trip)
        .isCancelled('ill')
        .replyTo(new BookSeat('t1'), new FlightFull('today'))
        .replyTo(new BookRoom('t1'), new RoomBooked('r1'))
        .expect(new CancelRoom('t1'))
        .timesOut()
        .expect(new CancelRoom('t1'))
        .timesOut()
        .parksAt('book hotel')
        .isSkipped('book hotel', 'it has burnt down', 'ann')
        .unlocks('trip/t1')
        .ends('compensated'),
    );

    expect(history).toContainEqual(expect.objectContaining({ what: 'skipped', by: 'ann' }));
  });

  it('plays a child in code along, and one that was done is undone', async () => {
    const journey = (script: (child: Scenario<CodeState<{ trip: string }, number>>) => unknown) =>
      scenario(CodedJourney, (journey) =>
        journey
          .calledWith({ trip: 'j1' })
          .calls('ask south')
          .answers(9)
          .calls('ask north')
          .answers(7)
          .startsChild('coded-packing', { trip: 'j1' })
          .plays(CodedPacking, script as never),
      );
    const { state } = await scenario(CodedJourney, (journey) =>
      journey
        .calledWith({ trip: 'j1' })
        .calls('ask north')
        .answers(7)
        .calls('ask south')
        .answers(9)
        .startsChild('coded-packing')
        .plays(CodedPacking, (child) => child.calls('pack').answers(['a', 'b']).ends('completed'))
        .ends('completed'),
    );
    expect(state.output).toEqual({ price: 7, suitcases: 2 });

    const refused = await journey((child) => child.calls('pack').refuses('no suitcase').ends('compensated'));
    expect(refused.ends('compensated').failure).toEqual({ step: 'pack', reason: 'pack: no suitcase' });
    const cancelled = await journey((child) => child.calls('pack'));
    expect(() => cancelled.ends('completed')).toThrow('should be completed here');
  });

  it('plays a child in code of a saga that is described by steps', async () => {
    @Saga('by-steps')
    class BySteps {
      readonly definition = saga<{ trip: string; packed?: number }>()
        .startsByCall(({ trip }: { trip: string }) => ({ trip }))
        .child('pack', CodedPacking, ({ trip }) => ({ trip }), {
          onCompleted: (state, { output }) => ({ ...state, ...(output === undefined ? {} : { packed: output }) }),
        });
    }
    const { state } = await scenario(BySteps, (bySteps) =>
      bySteps
        .calledWith({ trip: 'j1' }, 'j1')
        .startsChild('coded-packing')
        .plays(CodedPacking, (child) => child.calls('pack').answers(['a']).ends('completed'))
        .ends('completed'),
    );

    expect(state.packed).toBe(1);
  });

  it('parks code that does something else when it is run again', async () => {
    let runs = 0;
    const { parked } = await scenario(
      sagaByCall(async (saga) => {
        await saga.step('first', () => 1);
        await saga.step(`second ${runs++}`, () => 2);
        await saga.step('third', () => 3);
      }).named('moody'),
      (moody) =>
        moody.calledWith({}, 'm').calls('first').answers(1).calls('second 0').answers(2).parksAt('code').parks(),
    );

    expect(parked![0]!.reason).toMatch(/NondeterminismError: operation 1 was step 'second 0'/);
  });

  it('reads an asynchronous script', async () => {
    const status = await scenario(codedTrip(), async (trip) => {
      await Promise.resolve();
      return trip.given(new TripWanted('t1')).locks('trip/t1').isTaken().ends('compensated').status;
    });

    expect(status).toBe('compensated');
  });
});

describe('a line of a script of a saga in code fails', () => {
  it('with what the saga does instead, at that line', async () => {
    const wrong = play((trip) => asked(trip).expect(new CancelRoom('t1')));

    await expect(wrong).rejects.toThrow(/should send CancelRoom.*but it waits for an answer to/s);
    await expect(wrong).rejects.toMatchObject({ stack: expect.stringMatching(/\n {4}at .*code-scenario\.spec/) });
  });

  it('also inside of an expectation', async () => {
    await play((trip) =>
      expect(() => booked(trip).calls('visa of carl')).toThrow(`should call the function of 'visa of carl'`),
    );
  });

  it('for a reply of the wrong shape', async () => {
    await expect(play((trip) => asked(trip).reply(new RoomBooked(7 as never)))).rejects.toThrow('room');
  });

  it('when the script is not given to the scenario, since code takes a moment', () => {
    const direct = scenario as unknown as (saga: unknown) => unknown;

    expect(() => direct(codedTrip())).toThrow(`saga 'coded-trip' is written as code, which takes a moment to run`);
    expect(() => direct(new CodedTrip({} as never))).toThrow('await scenario(saga, (saga) => saga.given(...))');
  });
});
