import { Command, Reply } from '@millrace/messages';
import { saga } from '../dsl/saga.js';
import { scenario } from '../scenario.js';
import {
  BookRoom,
  BookSeat,
  CancelRoom,
  CancelSeat,
  FlightFull,
  HotelFull,
  Insurance,
  RoomBooked,
  RoomCancelled,
  SeatBooked,
  SeatCancelled,
  TravellerAgreed,
  Trip,
  TripBooked,
  TripFailed,
  TripWanted,
} from '../trip.fixture.js';

const wanted = () => scenario(Trip).given(new TripWanted('t1'));
const locked = () => wanted().locks('trip/t1').isGranted();
const asked = () => locked().expect(new BookSeat('t1')).expect(new BookRoom('t1'));
const booked = () =>
  asked().replyTo(new BookSeat('t1'), new SeatBooked('4a')).replyTo(new BookRoom('t1'), new RoomBooked('r1'));
const insuring = () =>
  booked().calls('get a visa', 'ann').answers('visa 1').calls('get a visa', 'bob').answers('visa 2');
const waiting = () => insuring().startsChild('insurance', { trip: 't1' }).completes();

describe('a scenario', () => {
  it('plays every kind of node to the end', () => {
    const { state } = waiting()
      .happens(new TravellerAgreed('t1'))
      .after('30d')
      .says(new TripBooked('t1'))
      .ends('completed');

    expect(state).toMatchObject({ room: 'r1', seat: '4a', visas: ['visa 1', 'visa 2'], insured: true });
  });

  it('answers commands that are open at once in any order, by the command', () => {
    const { state } = asked()
      .reply(new RoomBooked('r1'))
      .replyTo(new BookSeat('t1'), new FlightFull('today'))
      .expect(new CancelRoom('t1'))
      .reply(new RoomCancelled('yes'))
      .unlocks('trip/t1')
      .says(new TripFailed('t1', 'flight.full'))
      .ends('compensated');

    expect(state).toMatchObject({ room: 'r1' });
  });

  it('lets one of two commands time out, at its own deadline', () => {
    asked()
      .timesOut(new BookSeat('t1'))
      .expect(new CancelSeat('t1'))
      .reply(new SeatCancelled('yes'))
      .replyTo(new BookRoom('t1'), new HotelFull('ever'))
      .unlocks('trip/t1')
      .ends('compensated');
  });

  it('says how functions end: refused, failed and tried again, failed for good', () => {
    booked()
      .calls('get a visa')
      .throws('no network')
      .calls('get a visa', 'ann')
      .answers('visa 1')
      .calls('get a visa', 'bob')
      .refuses('a criminal')
      .callsToUndo('get a visa', 'ann')
      .answers()
      .expect(new CancelRoom('t1'))
      .reply(new RoomCancelled('yes'))
      .expect(new CancelSeat('t1'))
      .reply(new SeatCancelled('yes'))
      .unlocks('trip/t1')
      .ends('compensated');
    booked().calls('get a visa').throws(new Error('wrong name'), { retryable: false }).callsToUndo('get a visa', 'ann');
    booked().calls('get a visa').timesOut().calls('get a visa', 'ann');
  });

  it('turns round when a lock is taken', () => {
    wanted().locks('trip/t1').isTaken('trip/t0').says(new TripFailed('t1', 'locked by trip/t0')).ends('compensated');
  });

  it('turns round when a child fails, and undoes one that has completed', () => {
    insuring().startsChild('insurance').fails('too old').callsToUndo('get a visa', 'bob');
    waiting().isCancelled().undoesChild('insurance').isUndone().callsToUndo('get a visa', 'bob');
    waiting().isCancelled().undoesChild('insurance').isNotUndone('too late');
  });

  it('plays a child along, forward and back', () => {
    insuring()
      .startsChild('insurance')
      .plays(Insurance, (child) => child.calls('check').answers('checked').ends('completed'))
      .isCancelled('too expensive')
      .undoesChild('insurance')
      .plays(Insurance, (child) => child.ends('compensated'))
      .callsToUndo('get a visa', 'bob');
  });

  it('takes an event before it is waited for, and turns round when none comes in time', () => {
    wanted().happens(new TravellerAgreed('t1')).locks('trip/t1');
    waiting().after('1d').after('1d').undoesChild('insurance');
  });

  it('passes the deadline of the saga', () => {
    waiting().happens(new TravellerAgreed('t1')).after('29d').isCancelled('ill').undoesChild('insurance');
    const { failure } = short()
      .meetsItsDeadline()
      .expect(new BookRoom('x'))
      .reply(new RoomBooked('r'))
      .ends('compensated');
    expect(failure).toMatchObject({ step: 'deadline' });
  });

  it('has people decide about a step that is parked', () => {
    const parked = () =>
      asked()
        .reply(new RoomBooked('r1'))
        .replyTo(new BookSeat('t1'), new FlightFull('today'))
        .expect(new CancelRoom('t1'))
        .timesOut()
        .expect(new CancelRoom('t1'))
        .timesOut()
        .parksAt('book hotel');
    parked()
      .isRetried()
      .expect(new CancelRoom('t1'))
      .reply(new RoomCancelled('yes'))
      .unlocks('trip/t1')
      .ends('compensated');
    parked().isSkipped('book hotel', 'nobody knows').unlocks('trip/t1').ends('compensated');
    const { state } = parked()
      .isResolved('book hotel', { state: { trip: 't1', travellers: [], visas: ['by phone'] } })
      .unlocks('trip/t1')
      .ends('compensated');
    expect(state).toMatchObject({ visas: ['by phone'] });
    parked().isAborted('lost').ends('aborted');
    expect(parked().parks().parked).toHaveLength(1);
  });

  it('starts by a command, which is answered, and by a call', () => {
    scenario(byCommand)
      .given(new PlanTrip('t1'))
      .expect(new BookRoom('t1'))
      .reply(new RoomBooked('r1'))
      .says(new Planned('r1'))
      .ends('completed');
    scenario(Insurance).calledWith({ trip: 't1' }, 'i1').calls('check').answers('fine').ends('completed');
  });
});

describe('a line of a script fails', () => {
  const mistakes: readonly (readonly [string, RegExp, () => unknown])[] = [
    [
      'for a command that is not among those open',
      /It sends BookRoom[^]*BookSeat/,
      () => locked().expect(new BookRoom('t2')),
    ],
    [
      'for a reply to a command that was not expected',
      /has not expected/,
      () => asked().replyTo(new BookRoom('t9'), new RoomBooked('r')),
    ],
    ['for a second reply', /not open any more/, () => booked().replyTo(new BookRoom('t1'), new RoomBooked('r2'))],
    [
      'for another function',
      /should call the function of 'check', but it calls the function of 'get a visa'/,
      () => booked().calls('check'),
    ],
    ['for another item', /should call/, () => booked().calls('get a visa', 'bob')],
    ['for another child', /should start saga 'x'.*starts saga 'insurance'/s, () => insuring().startsChild('x')],
    ['for another lock', /should lock 'x', but it locks 'trip\/t1'/, () => wanted().locks('x')],
    ['for an event of another instance', /is for 't2'/, () => waiting().happens(new TravellerAgreed('t2'))],
    [
      'for an event that nobody waits for',
      /never waits for travel.trip-wanted/,
      () => waiting().happens(new TripWanted('t1')),
    ],
    [
      'for a step that is not parked',
      /should be parked at 'book hotel', but it sends/,
      () => locked().parksAt('book hotel'),
    ],
    ['for a decision about nothing', /no step of this saga is parked/, () => locked().isRetried()],
    ['for other words at the end', /- {3}trip: 't2'/, () => ended().says(new TripBooked('t2'))],
    ['for words too early', /has said nothing/, () => waiting().says(new TripBooked('t1'))],
    [
      'for a deadline that is none',
      /has no deadline/,
      () => scenario(Insurance).calledWith({ trip: 'a' }, 'a').meetsItsDeadline(),
    ],
  ];
  const ended = () => waiting().happens(new TravellerAgreed('t1')).after('30d');

  it.each(mistakes)('%s', (_, message, play) => expect(play).toThrow(message));
});

@Reply('travel.planned')
class Planned {
  constructor(readonly room: string) {}
}

@Command('travel.plan', { key: 'trip' })
class PlanTrip extends Command<Planned> {
  constructor(readonly trip: string) {
    super();
  }
}

const byCommand = saga<{ trip: string; room?: string }>()
  .startsOn(PlanTrip, ({ trip }) => ({ trip }))
  .step('book', (s) =>
    s
      .sends(({ trip }) => new BookRoom(trip))
      .onReply(RoomBooked, (state, { room }) => ({ ...state, room }))
      .failsOn(HotelFull),
  )
  .onCompleted(({ room }) => new Planned(room ?? ''))
  .named('by-command');

const short = () =>
  scenario(
    saga<{ trip: string }>()
      .startsOn(TripWanted, ({ trip }) => ({ trip }))
      .step('book', (s) =>
        s
          .sends(({ trip }) => new BookRoom(trip))
          .onReply(RoomBooked)
          .failsOn(HotelFull),
      )
      .within('5s')
      .named('short'),
  ).given(new TripWanted('x'));
