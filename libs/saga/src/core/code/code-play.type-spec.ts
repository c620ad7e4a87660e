import { explore } from '../explore.js';
import type { ExploreResult } from '../explore/explore-result.js';
import { invariant } from '../explore/invariants.js';
import { scenario } from '../scenario.js';
import { BookRoom, RoomBooked, SeatBooked, Trip, TripWanted } from '../trip.fixture.js';
import { CodedJourney, CodedPacking, codedTrip } from './code-trip.fixture.js';

// A saga in code takes a moment to run: its script is given, and awaited.
const { state } = await scenario(codedTrip(), (trip) => {
  trip.given(new TripWanted('t1')).expect(new BookRoom('t1')).reply(new RoomBooked('r1'));
  // @ts-expect-error -- the reply of another command
  trip.expect(new BookRoom('t1')).reply(new SeatBooked('4a'));
  return trip.ends('completed');
});
state.output?.visas satisfies readonly string[] | undefined;
state.output?.left satisfies string | undefined;
state.input.trip satisfies string;
// @ts-expect-error -- the code does not return that
void state.output?.hotel;

// @ts-expect-error -- a saga in code, by its class
void scenario(CodedJourney);
// @ts-expect-error -- an instance of it
void scenario(codedTrip());
// @ts-expect-error -- its definition
void scenario(new CodedJourney().definition.named('journey'));

// One that is described by steps is played at once, or as a script.
scenario(Trip).given(new TripWanted('t1'));
(await scenario(Trip, (trip) => trip.ends('completed'))).state.room satisfies string | undefined;
void scenario(Trip, (trip) =>
  trip.plays(CodedPacking, (child) => child.ends('completed').state.output satisfies number | undefined),
);

// So with exploring.
explore(Trip) satisfies ExploreResult;
void (explore(CodedJourney, { given: { trip: 't1' } }) satisfies Promise<ExploreResult>);
// @ts-expect-error -- it has to be awaited
void (explore(codedTrip()) satisfies ExploreResult);
await explore(codedTrip(), {
  invariants: [
    invariant('seated', ({ output }) => {
      output?.seat satisfies string | undefined;
      return true;
    }),
  ],
});
