/** A trip needs a room, a car and a flight with any of two airlines: all of them, or none. */
import { Handles } from '@millrace/broker';
import { Command, Reply } from '@millrace/messages';
import { saga, Saga, SagaModule } from '@millrace/saga';
import type { NewStep } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import { IsIn, IsString } from 'class-validator';

// ── what the agency and its partners say to each other ──────────────────────────────────────────────────────────────

@Reply('trips.reserved')
export class Reserved {
  @IsString() readonly reference: string;

  constructor(reference: string) {
    this.reference = reference;
  }
}

@Reply('trips.sold-out', { failure: true })
export class SoldOut {
  @IsString() readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

@Reply('trips.released')
export class Released {}

@Command('hotels.reserve-room', { key: 'trip' })
export class ReserveRoom extends Command<Reserved, SoldOut> {
  @IsString() readonly trip: string;
  @IsString() readonly city: string;

  constructor({ trip, city }: Trip) {
    super();
    this.trip = trip;
    this.city = city;
  }
}

@Command('hotels.release-room', { key: 'trip' })
export class ReleaseRoom extends Command<Released> {
  @IsString() readonly trip: string;

  constructor({ trip }: Trip) {
    super();
    this.trip = trip;
  }
}

@Command('cars.reserve-car', { key: 'trip' })
export class ReserveCar extends Command<Reserved, SoldOut> {
  @IsString() readonly trip: string;
  @IsString() readonly city: string;

  constructor({ trip, city }: Trip) {
    super();
    this.trip = trip;
    this.city = city;
  }
}

@Command('cars.release-car', { key: 'trip' })
export class ReleaseCar extends Command<Released> {
  @IsString() readonly trip: string;

  constructor({ trip }: Trip) {
    super();
    this.trip = trip;
  }
}

export type Airline = 'north' | 'south';

@Command('flights.reserve-seat', { key: 'trip' })
export class ReserveSeat extends Command<Reserved, SoldOut> {
  @IsString() readonly trip: string;
  @IsString() readonly city: string;
  @IsIn(['north', 'south']) readonly airline: Airline;

  constructor({ trip, city }: Trip, airline: Airline) {
    super();
    this.trip = trip;
    this.city = city;
    this.airline = airline;
  }
}

@Command('flights.release-seat', { key: 'trip' })
export class ReleaseSeat extends Command<Released> {
  @IsString() readonly trip: string;
  @IsIn(['north', 'south']) readonly airline: Airline;

  constructor({ trip }: Trip, airline: Airline) {
    super();
    this.trip = trip;
    this.airline = airline;
  }
}

@Reply('trips.booked')
export class TripBooked {
  @IsString() readonly trip: string;
  @IsIn(['north', 'south']) readonly airline: Airline;

  constructor(trip: string, airline: Airline) {
    this.trip = trip;
    this.airline = airline;
  }
}

@Reply('trips.not-booked', { failure: true })
export class TripNotBooked {
  @IsString() readonly trip: string;
  @IsString() readonly reason: string;

  constructor(trip: string, reason: string) {
    this.trip = trip;
    this.reason = reason;
  }
}

@Command('trips.book', { key: 'trip' })
export class BookTrip extends Command<TripBooked, TripNotBooked> {
  @IsString() readonly trip: string;
  @IsString() readonly city: string;

  constructor(trip: string, city: string) {
    super();
    this.trip = trip;
    this.city = city;
  }
}

// ── the saga ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Trip {
  readonly trip: string;
  readonly city: string;
  readonly room?: string;
  readonly car?: string;
  readonly airline?: Airline;
}

@Saga('trip-booking')
export class TripBooking {
  readonly definition = saga<Trip>()
    .startsOn(BookTrip, ({ trip, city }) => ({ trip, city }))
    .parallel('reserve everything', {
      hotel: (trip) =>
        trip.step('reserve room', (s) =>
          s
            .sends((trip) => new ReserveRoom(trip))
            .onReply(Reserved, (trip, { reference }) => ({ ...trip, room: reference }))
            .failsOn(SoldOut, (_, { reason }) => reason)
            .compensates((trip) => new ReleaseRoom(trip)),
        ),
      car: (trip) =>
        trip.step('reserve car', (s) =>
          s
            .sends((trip) => new ReserveCar(trip))
            .onReply(Reserved, (trip, { reference }) => ({ ...trip, car: reference }))
            .failsOn(SoldOut, (_, { reason }) => reason)
            .compensates((trip) => new ReleaseCar(trip)),
        ),
      flight: (trip) =>
        trip.parallel(
          'reserve flight',
          {
            north: (flight) => flight.step('fly north', reserveSeat('north')),
            south: (flight) => flight.step('fly south', reserveSeat('south')),
          },
          { join: 'any', onJoined: (trip, [airline]) => ({ ...trip, airline }) },
        ),
    })
    .onCompleted(({ trip, airline }) => new TripBooked(trip, airline!))
    .onCompensated(({ trip }, { reason }) => new TripNotBooked(trip, reason));
}

function reserveSeat(airline: Airline) {
  return (s: NewStep<Trip>) =>
    s
      .sends((trip) => new ReserveSeat(trip, airline))
      .onReply(Reserved)
      .failsOn(SoldOut, (_, { reason }) => reason)
      .compensates((trip) => new ReleaseSeat(trip, airline));
}

// ── the agency, and its partners ────────────────────────────────────────────────────────────────────────────────────

@Module({ imports: [SagaModule.forFeature([TripBooking])] })
export class TripsModule {}

@Injectable()
export class Hotel {
  readonly rooms = new Set<string>();

  @Handles(ReserveRoom)
  reserve({ trip, city }: ReserveRoom): Reserved | SoldOut {
    if (city === 'Atlantis') return new SoldOut('no hotel in Atlantis');
    this.rooms.add(trip);
    return new Reserved(`room in ${city}`);
  }

  @Handles(ReleaseRoom)
  release({ trip }: ReleaseRoom): Released {
    this.rooms.delete(trip);
    return new Released();
  }
}

@Injectable()
export class CarRental {
  readonly cars = new Set<string>();

  @Handles(ReserveCar)
  reserve({ trip, city }: ReserveCar): Reserved | SoldOut {
    if (city === 'Venice') return new SoldOut('no cars in Venice');
    this.cars.add(trip);
    return new Reserved(`car in ${city}`);
  }

  @Handles(ReleaseCar)
  release({ trip }: ReleaseCar): Released {
    this.cars.delete(trip);
    return new Released();
  }
}

@Injectable()
export class Airport {
  readonly seats = new Set<string>();

  @Handles(ReserveSeat)
  reserve({ trip, city, airline }: ReserveSeat): Reserved | SoldOut {
    if (city === 'Lisbon' && airline === 'north') return new SoldOut('north does not fly to Lisbon');
    if (city === 'Ulm') return new SoldOut(`${airline} does not fly to Ulm`);
    this.seats.add(`${trip} ${airline}`);
    return new Reserved(`seat to ${city}`);
  }

  @Handles(ReleaseSeat)
  release({ trip, airline }: ReleaseSeat): Released {
    this.seats.delete(`${trip} ${airline}`);
    return new Released();
  }
}

@Module({ providers: [Hotel] })
export class HotelsModule {}

@Module({ providers: [CarRental] })
export class CarsModule {}

@Module({ providers: [Airport] })
export class FlightsModule {}
