import { randomUUID } from 'node:crypto';
import { InMemoryPartitionStore, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { playOn } from '@millrace/testing';
import { codedTrip } from '../code/code-trip.fixture.js';
import { saga } from '../dsl/saga.js';
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
  Trip,
  TripBooked,
  TripFailed,
  TripWanted,
} from '../trip.fixture.js';

const stores: [string, () => PartitionStore][] = [
  ['memory', () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => new RedisPartitionStore({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

describe.each(stores)('a script on %s', (_name, open) => {
  let store: PartitionStore;
  beforeEach(() => void (store = open()));
  afterEach(() => store.close());

  it('plays every kind of node, and a month, at once', async () => {
    const began = performance.now();
    const { state, status, endedAt, startedAt } = await playOn(store, Trip, (trip) =>
      trip
        .given(new TripWanted('t1'))
        .locks('trip/t1')
        .isGranted()
        .expect(new BookSeat('t1'))
        .expect(new BookRoom('t1'))
        .replyTo(new BookSeat('t1'), new SeatBooked('4a'))
        .replyTo(new BookRoom('t1'), new RoomBooked('r1'))
        .calls('get a visa', 'ann')
        .throws('no network')
        .calls('get a visa', 'ann')
        .answers('visa 1')
        .calls('get a visa', 'bob')
        .answers('visa 2')
        .startsChild('insurance')
        .completes({ checked: 'yes' })
        .happens(new TravellerAgreed('t1'))
        .after('30d')
        .says(new TripBooked('t1'))
        .ends('completed'),
    );

    expect(status).toBe('completed');
    expect(state).toMatchObject({ room: 'r1', seat: '4a', visas: ['visa 1', 'visa 2'], insured: true });
    expect(endedAt! - startedAt).toBeGreaterThan(performance.now() - began);
  });

  it('plays timeouts, compensation, children, functions and people', async () => {
    const { history } = await playOn(store, Trip, (trip) =>
      trip
        .given(new TripWanted('t2'))
        .locks('trip/t2')
        .isGranted()
        .expect(new BookRoom('t2'))
        .expect(new BookSeat('t2'))
        .reply(new SeatBooked('4a'))
        .replyTo(new BookRoom('t2'), new RoomBooked('r1'))
        .calls('get a visa', 'ann')
        .answers('visa 1')
        .calls('get a visa', 'bob')
        .answers('visa 2')
        .startsChild('insurance')
        .completes()
        .after('2d')
        .undoesChild('insurance')
        .isUndone()
        .callsToUndo('get a visa', 'bob')
        .answers()
        .callsToUndo('get a visa', 'ann')
        .answers()
        .expect(new CancelRoom('t2'))
        .expect(new CancelSeat('t2'))
        .reply(new SeatCancelled('yes'))
        .timesOut(new CancelRoom('t2'))
        .expect(new CancelRoom('t2'))
        .timesOut()
        .parksAt('book hotel')
        .isSkipped('book hotel', 'the hotel has burnt down', 'ann')
        .unlocks('trip/t2')
        .says(new TripFailed('t2', 'no travel.traveller-agreed within 172800000 ms'))
        .ends('compensated'),
    );

    expect(history).toContainEqual(expect.objectContaining({ what: 'skipped', by: 'ann' }));
  });

  it('plays refusals and cancels', async () => {
    await playOn(store, Trip, (trip) =>
      trip.given(new TripWanted('t3')).locks('trip/t3').isTaken().ends('compensated'),
    );
    const { failure } = await playOn(store, Trip, (trip) =>
      trip
        .given(new TripWanted('t4'))
        .locks('trip/t4')
        .isGranted()
        .expect(new BookSeat('t4'))
        .expect(new BookRoom('t4'))
        .isCancelled('ill')
        .reply(new HotelFull('ever'))
        .replyTo(new BookSeat('t4'), new FlightFull('today'))
        .unlocks('trip/t4')
        .ends('compensated'),
    );

    expect(failure).toMatchObject({ reason: 'ill' });
  });

  it('plays a saga that is started by a call', async () => {
    const definition = saga<{ trip: string }>()
      .startsByCall(({ trip }: { trip: string }) => ({ trip }), { id: ({ trip }) => trip })
      .step('cancel', (s) => s.sends(({ trip }) => new CancelRoom(trip)).onReply(RoomCancelled))
      .named('by-call');
    const { status } = await playOn(store, definition, (play) =>
      play.calledWith({ trip: 't5' }).expect(new CancelRoom('t5')).reply(new RoomCancelled('t5')).ends('completed'),
    );

    expect(status).toBe('completed');
  });

  it('plays every operation of a saga in code', async () => {
    const { state, status } = await playOn(store, codedTrip(), (trip) =>
      trip
        .given(new TripWanted('c1'))
        .locks('trip/c1')
        .isGranted()
        .expect(new BookSeat('c1'))
        .expect(new BookRoom('c1'))
        .replyTo(new BookSeat('c1'), new FlightFull('today'))
        .replyTo(new BookRoom('c1'), new RoomBooked('r1'))
        .calls('visa of ann')
        .throws('no network')
        .calls('visa of ann')
        .answers('visa 1')
        .calls('visa of bob')
        .answers('visa 2')
        .startsChild('insurance')
        .completes({ checked: 'yes' })
        .happens(new TravellerAgreed('c1'))
        .after('30d')
        .calls('say goodbye')
        .answers()
        .says(new TripBooked('c1'))
        .ends('completed'),
    );

    expect(status).toBe('completed');
    expect(state.output).toMatchObject({ room: 'r1', visas: ['visa 1', 'visa 2'], checked: 'yes' });
  });

  it('plays timeouts, compensation, functions and people of a saga in code', async () => {
    const { history } = await playOn(store, codedTrip(), (trip) =>
      trip
        .given(new TripWanted('c2'))
        .locks('trip/c2')
        .isGranted()
        .expect(new BookSeat('c2'))
        .expect(new BookRoom('c2'))
        .reply(new RoomBooked('r1'))
        .replyTo(new BookSeat('c2'), new SeatBooked('4a'))
        .calls('visa of ann')
        .answers('visa 1')
        .calls('visa of bob')
        .refuses('a criminal')
        .callsToUndo('visa of ann')
        .answers()
        .expect(new CancelSeat('c2'))
        .reply(new SeatCancelled('yes'))
        .expect(new CancelRoom('c2'))
        .timesOut()
        .expect(new CancelRoom('c2'))
        .timesOut()
        .parksAt('book hotel')
        .isSkipped('book hotel', 'the hotel has burnt down', 'ann')
        .unlocks('trip/c2')
        .says(new TripFailed('c2', 'a criminal'))
        .ends('compensated'),
    );

    expect(history).toContainEqual(expect.objectContaining({ what: 'skipped', by: 'ann' }));
  });

  it('is refused for a saga that the store has already', async () => {
    const script = () =>
      playOn(store, Trip, (trip) => trip.given(new TripWanted('t6')).locks('trip/t6').isTaken().ends('compensated'));
    await script();

    await expect(script()).rejects.toThrow('saga trip t6 is on this store already');
  });

  it('says what is stored otherwise: here the function of the start is not pure', async () => {
    let calls = 0;
    const impure = saga<{ calls: number }>()
      .startsOn(TripWanted, () => ({ calls: calls++ }))
      .step('cancel', (s) => s.sends(() => new CancelRoom('t')).onReply(RoomCancelled))
      .named('impure');
    const script = playOn(store, impure, (play) => play.given(new TripWanted('t8')).expect(new CancelRoom('t')));

    await expect(script).rejects.toThrow(/impure t8 is stored otherwise after a start/);
  });

  it('fails as without a store where the script does not hold', async () => {
    const script = () => playOn(store, Trip, (trip) => trip.given(new TripWanted('t7')).locks('x'));

    await expect(script()).rejects.toThrow("should lock 'x'");
  });
});
