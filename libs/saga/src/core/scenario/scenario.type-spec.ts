import { scenario } from '../scenario.js';
import { BookRoom, BookSeat, HotelFull, RoomBooked, SeatBooked, Trip, TripWanted } from '../trip.fixture.js';

const sent = scenario(Trip).given(new TripWanted('t1')).expect(new BookRoom('t1'));

sent.reply(new RoomBooked('r1'));
sent.reply(new HotelFull('ever'));
// @ts-expect-error -- the reply of another command
sent.reply(new SeatBooked('4a'));
// @ts-expect-error -- no reply at all
sent.reply(new BookRoom('t1'));
sent.expect(new BookSeat('t1')).reply(new SeatBooked('4a'));
// @ts-expect-error -- what was expected last is answered
sent.expect(new BookSeat('t1')).reply(new RoomBooked('r1'));
sent.replyTo(new BookRoom('t1'), new RoomBooked('r1'));
// @ts-expect-error -- the reply of another command
sent.replyTo(new BookRoom('t1'), new SeatBooked('4a'));
// @ts-expect-error -- no such end
sent.ends('parked');
