import { Command, Event, Reply } from '@millrace/messages';
import { IsString } from 'class-validator';
import { refused } from './call.js';
import { saga } from './dsl/saga.js';
import { Saga } from './saga-class.js';

// A trip: everything that a saga can consist of, in one.

@Event('travel.trip-wanted', { key: 'trip' })
export class TripWanted {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    this.trip = trip;
  }
}

@Event('travel.traveller-agreed', { key: 'trip' })
export class TravellerAgreed {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    this.trip = trip;
  }
}

@Event('travel.trip-failed')
export class TripFailed {
  @IsString() readonly trip: string;
  @IsString() readonly reason: string;
  constructor(trip: string, reason: string) {
    this.trip = trip;
    this.reason = reason;
  }
}

@Event('travel.trip-booked')
export class TripBooked {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    this.trip = trip;
  }
}

@Reply('hotel.booked')
export class RoomBooked {
  @IsString() readonly room: string;
  constructor(room: string) {
    this.room = room;
  }
}

@Reply('hotel.full', { failure: true })
export class HotelFull {
  @IsString() readonly since: string;
  constructor(since: string) {
    this.since = since;
  }
}

@Reply('hotel.cancelled')
export class RoomCancelled {
  @IsString() readonly cancelled: string;
  constructor(cancelled: string) {
    this.cancelled = cancelled;
  }
}

@Command('hotel.book')
export class BookRoom extends Command<RoomBooked, HotelFull> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

@Command('hotel.cancel')
export class CancelRoom extends Command<RoomCancelled> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

@Reply('flight.booked')
export class SeatBooked {
  @IsString() readonly seat: string;
  constructor(seat: string) {
    this.seat = seat;
  }
}

@Reply('flight.full', { failure: true })
export class FlightFull {
  @IsString() readonly date: string;
  constructor(date: string) {
    this.date = date;
  }
}

@Reply('flight.cancelled')
export class SeatCancelled {
  @IsString() readonly ended: string;
  constructor(ended: string) {
    this.ended = ended;
  }
}

@Command('flight.book')
export class BookSeat extends Command<SeatBooked, FlightFull> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

@Command('flight.cancel')
export class CancelSeat extends Command<SeatCancelled> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

export interface TripState {
  readonly trip: string;
  readonly travellers: readonly string[];
  readonly room?: string;
  readonly seat?: string;
  readonly visas: readonly string[];
  readonly insured?: boolean;
}

@Saga('insurance')
export class Insurance {
  readonly definition = saga<{ readonly trip: string; readonly checked?: string }>()
    .startsByCall(({ trip }: { readonly trip: string }) => ({ trip }))
    .step('check', (s) =>
      s.calls(({ trip }) => `checked ${trip}`).onResult((state, checked) => ({ ...state, checked })),
    );
}

@Saga('trip')
export class Trip {
  readonly definition = saga<TripState>()
    .startsOn(TripWanted, ({ trip }) => ({ trip, travellers: ['ann', 'bob'], visas: [] }))
    .lock('the traveller', ({ trip }) => `trip/${trip}`, { otherwise: 'fail' })
    .parallel('book', {
      hotel: (b) =>
        b.step('book hotel', (s) =>
          s
            .sends(({ trip }) => new BookRoom(trip))
            .onReply(RoomBooked, (state, { room }) => ({ ...state, room }))
            .failsOn(HotelFull)
            .compensates(({ trip }) => new CancelRoom(trip), { attempts: 2 }),
        ),
      flight: (b) =>
        b.step('book flight', (s) =>
          s
            .sends(({ trip }) => new BookSeat(trip))
            .onReply(SeatBooked, (state, { seat }) => ({ ...state, seat }))
            .failsOn(FlightFull)
            .compensates(({ trip }) => new CancelSeat(trip), { attempts: 2 })
            .within('10s'),
        ),
    })
    .each(
      'visas',
      ({ travellers }) => travellers,
      (b) =>
        b.step('get a visa', (s) =>
          s
            .calls((_, { item }) => (item === 'nobody' ? refused('nobody needs none') : `visa of ${item}`))
            .onResult((state, visa) => ({ ...state, visas: [...state.visas, visa] }))
            .compensates(() => undefined)
            .retries(1),
        ),
    )
    .when(
      'insured?',
      ({ visas }) => visas.length > 0,
      (b) =>
        b.child('insure', Insurance, ({ trip }) => ({ trip }), {
          onCompleted: (state) => ({ ...state, insured: true }),
        }),
    )
    .waitFor('the yes', TravellerAgreed, { within: '2d' })
    .sleep('until the start', '30d')
    .onCompleted(({ trip }) => new TripBooked(trip))
    .onCompensated(({ trip }, { reason }) => new TripFailed(trip, reason))
    .within('60d');
}
