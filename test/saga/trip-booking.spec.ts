import { Requester } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { meet, outcomeOf, STORES } from './meet.js';
import {
  Airport,
  BookTrip,
  CarRental,
  CarsModule,
  FlightsModule,
  Hotel,
  HotelsModule,
  TripBooked,
  TripBooking,
  TripNotBooked,
  TripsModule,
} from './trip-booking.js';

describe.each(STORES)('a trip that is booked in %s', (_store, meeting) => {
  async function open() {
    const services = await meet(meeting(), {
      hotels: HotelsModule,
      cars: CarsModule,
      flights: FlightsModule,
      trips: TripsModule,
    });
    const { hotels, cars, flights, trips } = services;
    return {
      trips,
      book: (trip: string, city: string) => trips.app.get(Requester).request(new BookTrip(trip, city)),
      rooms: hotels.app.get(Hotel).rooms,
      cars: cars.app.get(CarRental).cars,
      seats: flights.app.get(Airport).seats,
    };
  }

  it('has a room, a car, and a seat with one of the airlines', async () => {
    const { book, rooms, cars, seats, trips } = await open();
    const answer = await book('t1', 'Porto');

    const { state } = await outcomeOf(trips, TripBooking, 't1');
    expect(state).toMatchObject({ room: 'room in Porto', car: 'car in Porto' });
    expect(answer).toEqual(new TripBooked('t1', state.airline!));
    expect([...seats]).toEqual([`t1 ${state.airline}`]);
    expect([rooms, cars]).toEqual([new Set(['t1']), new Set(['t1'])]);
  });

  it('takes the other airline where one does not fly', async () => {
    const { book } = await open();
    expect(await book('t2', 'Lisbon')).toEqual(new TripBooked('t2', 'south'));
  });

  it.each([
    ['Atlantis', 'no hotel in Atlantis'],
    ['Venice', 'no cars in Venice'],
    ['Ulm', /does not fly to Ulm/],
  ])('is not booked to %s, and keeps nothing of what it had', async (city, reason) => {
    const { book, rooms, cars, seats } = await open();
    const answer = (await book('t3', city)) as TripNotBooked;

    expect(answer).toBeInstanceOf(TripNotBooked);
    expect(answer.reason).toMatch(reason);
    await eventually(() => expect([rooms.size, cars.size, seats.size]).toEqual([0, 0, 0]));
  });
});
