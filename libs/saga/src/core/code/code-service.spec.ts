import { Command, Event, Reply } from '@millrace/messages';
import { IsString } from 'class-validator';
import { saga } from '../dsl/saga.js';
import { eventually } from '../eventually.fixture.js';
import { SagaService, STORES, storyOf } from '../runtime/service.fixture.js';
import { Saga } from '../saga-class.js';
import type { CodeState } from './code-state.js';
import { sagaByCall, sagaOf } from './saga-of.js';
import { StepRefused } from './step-refused.js';

@Event('trips.requested', { key: 'trip' })
class Requested {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    this.trip = trip;
  }
}
@Event('trips.paid', { key: 'trip' })
class Paid {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    this.trip = trip;
  }
}
@Reply('trips.booked')
class Booked {
  @IsString() readonly seat: string;
  constructor(seat: string) {
    this.seat = seat;
  }
}
@Reply('trips.full', { failure: true })
class Full {}
@Reply('trips.cancelled')
class Cancelled {}
@Command('trips.book', { key: 'trip' })
class Book extends Command<Booked, Full> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}
@Command('trips.cancel', { key: 'trip' })
class Cancel extends Command<Cancelled> {
  @IsString() readonly trip: string;
  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

const log: string[] = [];
const answers = [
  [Book, ({ trip }: Book) => (log.push('book'), trip.includes('full') ? new Full() : new Booked(`${trip}-12a`))],
  [Cancel, () => (log.push('cancel'), new Cancelled())],
] as const;

@Saga('book-room')
class BookRoom {
  readonly definition = sagaByCall(
    async (saga, { trip }: { trip: string }) => {
      const room = await saga.step(
        'room',
        () => (log.push('room'), { id: `${trip}-room` }),
        (_room, { undoes }) => log.push(`cancel ${undoes}`),
      );
      if (trip.includes('closed')) saga.turnRound('the hotel is closed');
      return room;
    },
    { id: ({ trip }) => trip },
  );
}

/** As {@link BookRoom}, of nodes. */
@Saga('book-car')
class BookCar {
  readonly definition = saga<{ trip: string; car?: string }>()
    .startsByCall(({ trip }: { trip: string }) => ({ trip }))
    .step('car', (s) =>
      s
        .calls(({ trip }) => `${trip}-car`)
        .onResult((state, car) => ({ ...state, car }))
        .compensates(() => log.push('cancel car')),
    );
}

@Saga('tour')
class Tour {
  readonly definition = saga<{ trip: string; room?: string }>()
    .startsByCall(({ trip }: { trip: string }) => ({ trip }), { id: ({ trip }) => trip })
    .child('room', BookRoom, ({ trip }) => ({ trip }), {
      onCompleted: (state, child) => ({ ...state, ...(child.output ? { room: child.output.id } : {}) }),
    });
}

@Saga('book-trip')
class BookTrip {
  readonly definition = sagaOf(
    Requested,
    async (saga, { trip }) => {
      await saga.lock('trip', `trip/${trip}`);
      const [room, car] = await Promise.all([
        saga.child('room', BookRoom, { trip }),
        saga.child('car', BookCar, { trip }),
      ]);
      const { seat } = await saga.send('seat', new Book(trip), { undo: () => new Cancel(trip) });
      await saga.sleep('cooling off', 10);
      await saga.waitFor('payment', Paid, { within: '1m' });
      saga.pivot();
      await saga.step('mail', () => log.push('mail'));
      return { room: room.output?.id, car: car.car, seat };
    },
    { waitsFor: [Paid], sends: [Book, Cancel] },
  );
}

describe.each(STORES)('a saga of code in %s', (_name, store) => {
  let service: SagaService;
  beforeEach(async () => {
    log.length = 0;
    service = await new SagaService(store(), [BookRoom, BookCar, BookTrip, Tour], answers).open();
  });
  afterEach(() => service.close());

  it('books a trip: with a lock, child sagas of code and of nodes, a command, a sleep, an event and a pivot', async () => {
    await service.publish(new Requested('t1'));
    await service.publish(new Paid('t1'));

    const { status, state } = await service.outcomeOf<CodeState>('book-trip', 't1');
    expect({ status, output: state.output }).toEqual({
      status: 'completed',
      output: { room: 't1-room', car: 't1-car', seat: 't1-12a' },
    });
    expect([...log].sort()).toEqual(['book', 'mail', 'room']);
    await eventually(async () => (await service.locks.find('trip/t1')) === undefined);
  });

  it('takes back its child sagas when it is refused', async () => {
    await service.publish(new Requested('full'));

    const trip = await service.outcomeOf('book-trip', 'full');
    expect(trip).toMatchObject({ status: 'compensated', failure: { step: 'seat', reason: 'trips.full' } });
    expect((await service.instances.find('book-room', 'full.0.1'))!.status).toBe('compensated');
    expect((await service.instances.find('book-car', 'full.0.2'))!.status).toBe('compensated');
    expect(log).toEqual(expect.arrayContaining(['cancel book-room/full.0.1/0.0', 'cancel car']));
    expect(await service.locks.find('trip/full')).toBeUndefined();
  });

  it('is a child of a saga of nodes, which turns round with it', async () => {
    await service.control.start(Tour, { trip: 'ok' });
    await service.control.start(Tour, { trip: 'closed' });

    expect(await service.outcomeOf('tour', 'ok')).toMatchObject({ status: 'completed', state: { room: 'ok-room' } });
    const closed = await service.outcomeOf('tour', 'closed');
    expect(closed).toMatchObject({ status: 'compensated', failure: { reason: 'saga: the hotel is closed' } });
  });

  it('is cancelled by a person while it waits', async () => {
    await service.publish(new Requested('t2'));
    await service.reaches('book-trip', 't2', ({ history }) => history.some(({ step }) => step === 'payment'));
    await service.control.cancel(BookTrip, 't2', { by: 'ann', reason: 'rain' });

    const trip = await service.outcomeOf('book-trip', 't2');
    expect(trip).toMatchObject({ status: 'compensated', failure: { step: 'cancelled', reason: 'rain' } });
    expect(storyOf(trip).filter((line) => line.includes('undo done'))).toEqual([
      'seat undo done',
      'car undo done',
      'room undo done',
      'trip undo done',
    ]);
  });
});

describe('a refused step', () => {
  it('is an error with its name, its reason and the reply that said no', () => {
    const refused = new StepRefused('seat', 'full', new Full());
    expect(refused.message).toBe("'seat' was refused: full");
    expect(refused.reply).toBeInstanceOf(Full);
  });
});
