import { BrokerModule, Handles, InMemoryPartitionStore, Publisher } from '@millrace/broker';
import { Sagas } from '@millrace/saga';
import { Injectable } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { eventually } from '../support/redis.js';
import {
  BookSeat,
  BookTrip,
  CancelSeat,
  FindSeat,
  FlightFull,
  Hotels,
  Offers,
  PaymentReceived,
  SeatBooked,
  SeatCancelled,
  theFlightIsFull,
  TripModule,
  TripRequested,
} from './code-first-sagas.js';

@Injectable()
class Airline {
  @Handles(BookSeat)
  book({ flight }: BookSeat): SeatBooked | FlightFull {
    return flight.startsWith('full') ? new FlightFull() : Object.assign(new SeatBooked(), { seat: `${flight}-12a` });
  }

  @Handles(CancelSeat)
  cancel(): SeatCancelled {
    return new SeatCancelled();
  }
}

describe('the code of the guide to sagas in code', () => {
  let app: INestApplication;
  let sagas: Sagas;
  beforeEach(async () => {
    const broker = BrokerModule.forRoot({ context: 'trips', store: new InMemoryPartitionStore(), blockMs: 20 });
    const module = await Test.createTestingModule({ imports: [broker, TripModule], providers: [Airline] }).compile();
    app = module.createNestApplication();
    await app.init();
    sagas = app.get(Sagas, { strict: false });
  });
  afterEach(() => app.close());

  const request = (trip: string, flight: string, cents: number) => {
    const publisher = app.get(Publisher);
    return Promise.all([
      publisher.publish(Object.assign(new TripRequested(), { trip, hotel: 'sea view', flight })),
      publisher.publish(Object.assign(new PaymentReceived(), { trip, cents })),
    ]);
  };

  it('books a trip', async () => {
    await request('t1', 'f1', 100);
    await eventually(async () => {
      expect(await sagas.find(BookTrip, 't1')).toMatchObject({
        status: 'completed',
        state: { output: { room: 'book-trip/t1/0.0', seat: 'f1-12a' } },
      });
    });
    expect(app.get(Hotels).mails).toEqual(['book-trip/t1/0.0, seat f1-12a']);
    expect(app.get(Hotels).rooms.size).toBe(1);
  });

  it.each([
    ['a flight that is full', 't2', 'full', 100, { step: 'book seat', reason: 'trips.flight-full' }],
    ['a trip that is not paid in full', 't3', 'f1', 1, { step: 'saga', reason: 'not paid in full' }],
  ])('gives back the room of %s', async (_what, trip, flight, cents, failure) => {
    await request(trip, flight, cents);
    await eventually(async () => {
      expect(await sagas.find(BookTrip, trip)).toMatchObject({ status: 'compensated', failure });
    });
    expect(app.get(Hotels).rooms.size).toBe(0);
  });

  it('goes another way when a step is refused', async () => {
    await sagas.start(FindSeat, { trip: 't4', flights: ['full-1', 'f2'] });
    await sagas.start(FindSeat, { trip: 't5', flights: ['full-1', 'full-2'] });
    await eventually(async () => {
      expect(await sagas.find(FindSeat, 't4')).toMatchObject({ state: { output: { flight: 'f2', seat: 'f2-12a' } } });
      expect(await sagas.find(FindSeat, 't5')).toMatchObject({ failure: { reason: 'all 2 flights are full' } });
    });
  });

  it('does several things at the same time', async () => {
    await sagas.start(Offers, { cities: ['rome', 'oslo-west', 'ulm'] });
    await eventually(async () => {
      const found = await sagas.find(Offers, 'rome-oslo-west-ulm');
      expect(found).toMatchObject({ status: 'completed', state: { output: { best: { city: 'ulm', cents: 300 } } } });
    });
  });

  it('is played without any service', async () => {
    expect(await theFlightIsFull()).toEqual({ step: 'book seat', reason: 'trips.flight-full' });
  });
});
