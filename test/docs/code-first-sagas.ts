/** The code of docs/guides/code-first-sagas.md, region by region. The specs beside it compare, compile and run it. */

// #region messages
import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';

@Event('trips.requested', { key: 'trip' })
export class TripRequested {
  @IsString() trip!: string;
  @IsString() hotel!: string;
  @IsString() flight!: string;
}

@Event('trips.paid', { key: 'trip' })
export class PaymentReceived {
  @IsString() trip!: string;
  @IsInt() cents!: number;
}

@Reply('trips.seat-booked')
export class SeatBooked {
  @IsString() seat!: string;
}

@Reply('trips.flight-full', { failure: true })
export class FlightFull {}

@Reply('trips.seat-cancelled')
export class SeatCancelled {}

@Command('trips.book-seat', { key: 'trip' })
export class BookSeat extends Command<SeatBooked, FlightFull> {
  @IsString() trip: string;
  @IsString() flight: string;

  constructor(trip: string, flight: string) {
    super();
    this.trip = trip;
    this.flight = flight;
  }
}

@Command('trips.cancel-seat', { key: 'trip' })
export class CancelSeat extends Command<SeatCancelled> {
  @IsString() trip: string;

  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}
// #endregion

// #region saga
import { Saga, sagaOf } from '@millrace/saga';
import { Injectable } from '@nestjs/common';

@Injectable()
export class Hotels {
  /** By idempotency key, so that a repetition books nothing. */
  readonly rooms = new Map<string, string>();
  readonly mails: string[] = [];

  book(hotel: string, key: string): { readonly id: string } {
    this.rooms.set(key, hotel);
    return { id: key };
  }

  cancel(key: string): void {
    this.rooms.delete(key);
  }
}

@Saga('book-trip')
export class BookTrip {
  readonly definition = sagaOf(
    TripRequested,
    async (saga, { trip, hotel, flight }) => {
      const room = await saga.step(
        'book room',
        ({ idempotencyKey }) => this.hotels.book(hotel, idempotencyKey),
        (_room, { undoes }) => this.hotels.cancel(undoes),
      );
      const { seat } = await saga.send('book seat', new BookSeat(trip, flight), { undo: () => new CancelSeat(trip) });
      const paid = await saga.waitFor('payment', PaymentReceived, { within: '3d' });
      if (paid.cents < 100) saga.turnRound('not paid in full');
      saga.pivot();
      await saga.step('mail', () => this.hotels.mails.push(`${room.id}, seat ${seat}`));
      return { room: room.id, seat };
    },
    { waitsFor: [PaymentReceived], sends: [BookSeat, CancelSeat] },
  );

  constructor(private readonly hotels: Hotels) {}
}
// #endregion

// #region refusals
import { sagaByCall, StepRefused } from '@millrace/saga';

@Saga('find-seat')
export class FindSeat {
  readonly definition = sagaByCall(
    async (saga, { trip, flights }: { trip: string; flights: string[] }) => {
      for (const [i, flight] of flights.entries()) {
        try {
          const { seat } = await saga.send(`book seat ${i}`, new BookSeat(trip, flight));
          return { flight, seat };
        } catch (error) {
          if (!(error instanceof StepRefused && error.reply instanceof FlightFull)) throw error;
        }
      }
      return saga.turnRound(`all ${flights.length} flights are full`);
    },
    { id: ({ trip }) => trip },
  );
}
// #endregion

// #region same-time
@Saga('offers')
export class Offers {
  readonly definition = sagaByCall(
    async (saga, { cities }: { cities: string[] }) => {
      const request = saga.uuid();
      const prices = await Promise.all(
        cities.map((city) => saga.step(`ask ${city}`, () => ({ city, cents: city.length * 100 }))),
      );
      const validUntil = new Date(saga.now().getTime() + 86_400_000);
      return { request, validUntil, best: prices.sort((a, b) => a.cents - b.cents)[0] };
    },
    { id: ({ cities }) => cities.join('-') },
  );
}
// #endregion

// #region test
import { scenario } from '@millrace/saga';

export async function theFlightIsFull() {
  const requested = Object.assign(new TripRequested(), { trip: 't1', hotel: 'sea view', flight: 'f1' });
  const { failure } = await scenario(new BookTrip(new Hotels()), (trip) =>
    trip
      .given(requested)
      .calls('book room')
      .answers({ id: 'r1' })
      .expect(new BookSeat('t1', 'f1'))
      .reply(new FlightFull())
      .callsToUndo('book room')
      .answers()
      .ends('compensated'),
  );
  return failure;
}
// #endregion

// #region module
import { SagaModule } from '@millrace/saga';
import { Global, Module } from '@nestjs/common';

@Global()
@Module({ providers: [Hotels], exports: [Hotels] })
export class HotelModule {}

@Module({ imports: [HotelModule, SagaModule.forFeature([BookTrip, FindSeat, Offers])] })
export class TripModule {}
// #endregion
