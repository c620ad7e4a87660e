import { refused } from '../call.js';
import { Saga } from '../saga-class.js';
import {
  BookRoom,
  BookSeat,
  CancelRoom,
  CancelSeat,
  FlightFull,
  Insurance,
  TravellerAgreed,
  TripBooked,
  TripFailed,
  TripWanted,
} from '../trip.fixture.js';
import { sagaByCall, sagaOf } from './saga-of.js';
import { StepRefused } from './step-refused.js';

// A trip in code: every operation that there is, operations at the same time, and one whose refusal is caught.

/** Who asks for visas. */
export class Embassy {
  issue(traveller: string): string {
    return `visa of ${traveller}`;
  }
}

@Saga('coded-trip')
export class CodedTrip {
  readonly definition = sagaOf(
    TripWanted,
    async (saga, { trip }) => {
      await saga.lock('the traveller', `trip/${trip}`, { otherwise: 'fail' });
      const [{ room }, seat] = await Promise.all([
        saga.send('book hotel', new BookRoom(trip), {
          undo: () => new CancelRoom(trip),
          undoing: { attempts: 2 },
          reason: ({ since }) => `full since ${since}`,
        }),
        this.seat(saga, trip),
      ]);
      const visas: string[] = [];
      for (const traveller of ['ann', 'bob']) {
        visas.push(
          await saga.step(
            `visa of ${traveller}`,
            () => (traveller === 'nobody' ? refused('unknown') : this.embassy.issue(traveller)),
            () => undefined,
            { retries: 1 },
          ),
        );
      }
      const insurance = await saga.child('insure', Insurance, { trip });
      await saga.waitFor('the yes', TravellerAgreed, { within: '2d' });
      await saga.sleep('until the start', '30d');
      saga.pivot();
      await saga.step('say goodbye', () => undefined);
      return { room, seat, visas, checked: insurance.checked, left: saga.now() };
    },
    { waitsFor: [TravellerAgreed], sends: [BookRoom, BookSeat, CancelRoom, CancelSeat] },
  )
    .onCompleted(({ input }) => new TripBooked(input.trip))
    .onCompensated(({ input }, { reason }) => new TripFailed(input.trip, reason))
    .within('60d');

  constructor(private readonly embassy: Embassy) {}

  /** Without a seat they go by train. */
  private async seat(saga: Parameters<Parameters<typeof sagaOf>[1]>[0], trip: string): Promise<string | undefined> {
    try {
      const { seat } = await saga.send('book flight', new BookSeat(trip), {
        undo: () => new CancelSeat(trip),
        within: '10s',
      });
      return seat;
    } catch (error) {
      if (error instanceof StepRefused && error.reply instanceof FlightFull) return undefined;
      throw error;
    }
  }
}

export const codedTrip = (): CodedTrip => new CodedTrip(new Embassy());

/** Started by a call: two steps at the same time, and the trip of them as a child. */
@Saga('coded-journey')
export class CodedJourney {
  readonly definition = sagaByCall(
    async (saga, { trip }: { trip: string }) => {
      const prices = await Promise.all([saga.step('ask north', () => 7), saga.step('ask south', () => 9)]);
      const child = await saga.child('pack', CodedPacking, { trip });
      return { price: Math.min(...prices), suitcases: child.output };
    },
    { id: ({ trip }) => trip },
  );
}

@Saga('coded-packing')
export class CodedPacking {
  readonly definition = sagaByCall(async (saga, { trip }: { trip: string }) => {
    const suitcases = await saga.step(
      'pack',
      () => [`${trip}-1`],
      () => undefined,
    );
    return suitcases.length;
  });
}
