import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import { refused } from '../call.js';
import { saga } from '../dsl/saga.js';
import { eventually } from '../eventually.fixture.js';
import { Saga } from '../saga-class.js';
import { SagaService, STORES, storyOf } from './service.fixture.js';

@Reply('trips.booked')
class Booked {
  @IsString() readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}
@Reply('trips.full', { failure: true })
class Full {
  @IsString() readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
@Reply('trips.cancelled')
class Cancelled {}

@Command('trips.book', { key: 'trip' })
class Book extends Command<Booked, Full> {
  @IsString() readonly trip: string;
  @IsString() readonly what: string;

  constructor(trip: string, what: string) {
    super();
    this.trip = trip;
    this.what = what;
  }
}
@Command('trips.cancel-booking', { key: 'trip' })
class CancelBooking extends Command<Cancelled> {
  @IsString() readonly trip: string;
  @IsString() readonly what: string;

  constructor(trip: string, what: string) {
    super();
    this.trip = trip;
    this.what = what;
  }
}
@Event('trips.paid', { key: 'trip' })
class Paid {
  @IsString() readonly trip: string;
  @IsInt() readonly amount: number;

  constructor(trip: string, amount: number) {
    this.trip = trip;
    this.amount = amount;
  }
}

interface Trip {
  id: string;
  stops: string[];
  booked: string[];
  paid?: number;
}

const trip = () =>
  saga<Trip>().startsByCall(
    (input: { id: string; stops?: string[] }) => ({ id: input.id, stops: input.stops ?? [], booked: [] }),
    {
      id: ({ id }) => id,
    },
  );

/** Answers bookings, except of what is full; notes what was done. */
function bookings(full: readonly string[] = []) {
  const log: string[] = [];
  const answers = [
    [
      Book,
      ({ what }: Book) => (
        log.push(`book ${what}`),
        full.includes(what) ? new Full(`${what} is full`) : new Booked(what)
      ),
    ],
    [CancelBooking, ({ what }: CancelBooking) => (log.push(`cancel ${what}`), new Cancelled())],
  ] as const;
  return { log, answers };
}

const book = (what: string) => (s: Parameters<Parameters<ReturnType<typeof trip>['step']>[1]>[0]) =>
  s
    .sends(({ id }) => new Book(id, what))
    .onReply(Booked, (state) => ({ ...state, booked: [...state.booked, what] }))
    .failsOn(Full, (_, { reason }) => reason)
    .compensates(({ id }) => new CancelBooking(id, what));

describe.each(STORES)('a saga in %s', (_name, store) => {
  let service: SagaService;
  afterEach(() => service.close());

  it('does branches at the same time, and undoes those that were done when one is refused', async () => {
    @Saga('book-all')
    class BookAll {
      readonly definition = trip().parallel('book', {
        hotel: (b) => b.step('hotel', book('hotel')),
        flight: (b) => b.step('flight', book('flight')),
        car: (b) => b.step('car', book('car')),
      });
    }
    const fine = bookings();
    const full = bookings(['car']);
    service = await new SagaService(store(), [BookAll], fine.answers).open();
    await service.control.start(BookAll, { id: 't1' });
    expect((await service.outcomeOf<Trip>('book-all', 't1')).state.booked.sort()).toEqual(['car', 'flight', 'hotel']);
    await service.close();

    service = await new SagaService(store(), [BookAll], full.answers).open();
    await service.control.start(BookAll, { id: 't2' });
    expect(await service.outcomeOf('book-all', 't2')).toMatchObject({
      status: 'compensated',
      failure: { step: 'car' },
    });
    expect(full.log.sort()).toEqual(['book car', 'book flight', 'book hotel', 'cancel flight', 'cancel hotel']);
  });

  it('goes on with the first branch that is done, and undoes the others', async () => {
    @Saga('book-any')
    class BookAny {
      readonly definition = trip().parallel(
        'book',
        {
          fast: (b) => b.step('fast', book('fast')),
          slow: (b) => b.step('slow', book('slow')).step('more', book('more')),
        },
        { join: 'any' },
      );
    }
    const { answers, log } = bookings();
    service = await new SagaService(store(), [BookAny], answers).open();
    await service.control.start(BookAny, { id: 't1' });
    expect(await service.outcomeOf('book-any', 't1')).toMatchObject({ status: 'completed' });
    expect(log.filter((line) => line.startsWith('cancel'))).toContain('cancel slow');
    expect(log).not.toContain('cancel fast');
  });

  it('does the same for every item, one after the other, and undoes them from the last', async () => {
    @Saga('book-stops')
    class BookStops {
      readonly definition = trip().each(
        'stops',
        ({ stops }) => stops,
        (b) =>
          b.step('stop', (s) =>
            s
              .sends(({ id }, stop) => new Book(id, stop))
              .onReply(Booked)
              .failsOn(Full)
              .compensates(({ id }, stop) => new CancelBooking(id, stop)),
          ),
      );
    }
    const { answers, log } = bookings(['Rome']);
    service = await new SagaService(store(), [BookStops], answers).open();
    await service.control.start(BookStops, { id: 't1', stops: ['Bonn', 'Graz', 'Rome', 'Oslo'] });
    expect(await service.outcomeOf('book-stops', 't1')).toMatchObject({ status: 'compensated' });
    expect(log).toEqual(['book Bonn', 'book Graz', 'book Rome', 'cancel Graz', 'cancel Bonn']);
  });

  it('runs functions of its service, keeps what they answer, and undoes them', async () => {
    const log: string[] = [];
    @Saga('local')
    class Local {
      readonly definition = trip()
        .step('first', (s) =>
          s
            .calls(({ id }, { idempotencyKey }) => (log.push(idempotencyKey), `${id}-1`))
            .onResult((state, result) => ({ ...state, booked: [result] }))
            .compensates(({ booked }) => void log.push(`undo ${booked.join()}`)),
        )
        .step('second', (s) =>
          s.calls(({ stops }, { attempt }) => {
            if (attempt < 3) throw new Error('busy');
            return stops.length === 0 ? refused('no stops') : 2;
          }),
        );
    }
    service = await new SagaService(store(), [Local]).open();
    await service.control.start(Local, { id: 't1', stops: ['Bonn'] });
    expect(await service.outcomeOf('local', 't1')).toMatchObject({ status: 'completed', state: { booked: ['t1-1'] } });
    await service.control.start(Local, { id: 't2' });
    const instance = await service.outcomeOf('local', 't2');
    expect(instance).toMatchObject({ status: 'compensated', failure: { step: 'second', reason: 'no stops' } });
    expect(log).toEqual(['local/t1/0', 'local/t2/0', 'undo t2-1']);
    expect(instance.history).toContainEqual(expect.objectContaining({ step: 'second', what: 'failed', times: 2 }));
  });

  it('waits for an event that is its own, for one that came before, and for time to pass', async () => {
    @Saga('pay')
    class Pay {
      readonly definition = trip()
        .step('book', book('room'))
        .waitFor('payment', Paid, { onEvent: (state, { amount }) => ({ ...state, paid: amount }), within: '1m' })
        .sleep('rest', 30)
        .waitFor('tip', Paid, { accepts: (_, { amount }) => amount < 10, orElse: { within: 30 } });
    }
    const { answers } = bookings();
    service = await new SagaService(store(), [Pay], answers).open();
    await service.control.start(Pay, { id: 't1' });
    await service.reaches('pay', 't1', ({ run }) => run.runs.length === 2);
    await service.publish(new Paid('t1', 90));
    const instance = await service.outcomeOf<Trip>('pay', 't1');
    expect(instance).toMatchObject({ status: 'completed', state: { paid: 90 } });
    expect(storyOf(instance)).toEqual([
      'saga do started',
      'book do done',
      'payment do done',
      'rest do done',
      'tip do timed-out',
      'tip do done',
      'saga do completed',
    ]);
  });

  it('refuses an event that its waits say is for different instances', async () => {
    @Saga('torn')
    class Torn {
      readonly definition = trip()
        .waitFor('payment', Paid)
        .waitFor('tip', Paid, { id: ({ trip: of }) => `${of}-tip` });
    }
    service = await new SagaService(store(), [Torn]).open();
    await service.control.start(Torn, { id: 't1' });
    await service.publish(new Paid('t1', 90));
    const partition = service.broker.partitionFor('t1');
    const letters = await eventually(async () => {
      const found = await service.store.readDeadLetters(partition, 10);
      return found.length > 0 && found;
    });
    expect(letters).toMatchObject([{ reason: 'non-retryable', error: expect.stringContaining('t1, t1-tip') }]);
  });

  it('has another saga as a step, and takes it back', async () => {
    @Saga('rooms')
    class Rooms {
      readonly definition = trip().step('room', book('room'));
    }
    @Saga('holiday')
    class Holiday {
      readonly definition = trip()
        .child('rooms', Rooms, ({ id }) => ({ id }), {
          onCompleted: (state, { booked }) => ({ ...state, booked }),
        })
        .step('flight', book('flight'));
    }
    const { answers, log } = bookings(['flight']);
    service = await new SagaService(store(), [Rooms, Holiday], answers).open();
    await service.control.start(Holiday, { id: 't1' });
    expect(await service.outcomeOf('holiday', 't1')).toMatchObject({
      status: 'compensated',
      state: { booked: ['room'] },
    });
    expect(await service.outcomeOf('rooms', 't1.0')).toMatchObject({ status: 'compensated' });
    expect(log).toEqual(['book room', 'book flight', 'cancel room']);
  });

  it('locks a key until it has ended, while others wait for it or turn round', async () => {
    const definition = (otherwise: 'wait' | 'fail') =>
      trip()
        .lock('seat', () => 'seat/12A', { otherwise, within: '1m' })
        .waitFor('payment', Paid);
    @Saga('patient')
    class Patient {
      readonly definition = definition('wait');
    }
    @Saga('hasty')
    class Hasty {
      readonly definition = definition('fail');
    }
    service = await new SagaService(store(), [Patient, Hasty]).open();
    const holds = (id: string) => service.reaches('patient', id, ({ run }) => run.runs.length === 2);
    await service.control.start(Patient, { id: 't1' });
    await holds('t1');
    await service.control.start(Patient, { id: 't2' });
    await service.control.start(Hasty, { id: 't3' });
    expect(await service.outcomeOf('hasty', 't3')).toMatchObject({
      status: 'compensated',
      failure: { reason: 'locked by patient/t1' },
    });
    expect(await service.locks.find('seat/12A')).toMatchObject({
      holder: 'patient/t1',
      waiting: [{ holder: 'patient/t2' }],
    });
    await service.publish(new Paid('t1', 1));
    await holds('t2');
    await service.publish(new Paid('t2', 1));
    await service.outcomeOf('patient', 't2');
    await eventually(async () => (await service.locks.find('seat/12A')) === undefined);
  });

  it('is cancelled before its pivot, by one who says why', async () => {
    @Saga('slow')
    class Slow {
      readonly definition = trip().step('room', book('room')).waitFor('payment', Paid).pivot().waitFor('arrival', Paid);
    }
    const { answers, log } = bookings();
    service = await new SagaService(store(), [Slow], answers).open();
    await service.control.start(Slow, { id: 't1' });
    await service.reaches('slow', 't1', ({ run }) => run.runs.length === 2);
    await service.control.cancel(Slow, 't1', { by: 'ann', reason: 'ill' });
    const instance = await service.outcomeOf('slow', 't1');
    expect(instance).toMatchObject({ status: 'compensated', failure: { step: 'cancelled', reason: 'ill' } });
    expect(instance.history).toContainEqual(expect.objectContaining({ what: 'cancelled', by: 'ann', why: 'ill' }));
    expect(log).toEqual(['book room', 'cancel room']);
    await expect(service.control.cancel(Slow, 't1', { by: 'ann', reason: 'x' })).rejects.toThrow(
      'this saga is compensated',
    );

    await service.control.start(Slow, { id: 't2' });
    await service.publish(new Paid('t2', 1));
    await service.reaches('slow', 't2', ({ run }) => run.runs.length === 4);
    await expect(service.control.cancel(Slow, 't2', { by: 'ann', reason: 'x' })).rejects.toThrow('past its pivot');
  });

  it('that is parked goes on as a person decides', async () => {
    let broken = true;
    @Saga('fragile')
    class Fragile {
      readonly definition = trip()
        .step('first', (s) => s.calls(() => 1).compensates(() => undefined))
        .step('second', (s) =>
          s
            .calls(() => 2)
            .compensates(
              () => {
                if (broken) throw new Error('no way');
              },
              { attempts: 1 },
            ),
        )
        .step('third', (s) => s.calls(() => refused('never')));
    }
    service = await new SagaService(store(), [Fragile]).open();
    const parked = async (id: string) => {
      broken = true;
      await service.control.start(Fragile, { id });
      const instance = await service.outcomeOf('fragile', id);
      expect(instance).toMatchObject({ status: 'parked', parked: [{ step: 'second', path: '1', direction: 'undo' }] });
      broken = false;
    };
    const ended = (id: string) => service.reaches('fragile', id, ({ endedAt }) => endedAt !== undefined);
    const ann = { by: 'ann', reason: 'looked at it' };
    await parked('t1');
    expect(service.errors).toEqual([expect.stringContaining("saga fragile t1 is parked: 'second' was given up")]);
    await service.control.retry(Fragile, 't1', ann);
    expect(await ended('t1')).toMatchObject({ status: 'compensated' });
    await parked('t2');
    await service.control.skip('fragile', 't2', { ...ann, step: 'second' });
    expect(await ended('t2')).toMatchObject({ status: 'compensated' });
    await parked('t3');
    await service.control.resolve(Fragile, 't3', { ...ann, state: { id: 't3', stops: [], booked: ['by hand'] } });
    expect(await ended('t3')).toMatchObject({ status: 'compensated', state: { booked: ['by hand'] } });
    await parked('t4');
    await service.control.abort(Fragile, 't4', ann);
    expect(await ended('t4')).toMatchObject({ status: 'aborted' });
    for (const [id, what] of [
      ['t1', 'retried'],
      ['t2', 'skipped'],
      ['t3', 'resolved'],
      ['t4', 'aborted'],
    ] as const) {
      const { history } = await ended(id);
      expect(history).toContainEqual(expect.objectContaining({ what, by: 'ann', why: 'looked at it' }));
    }
    await expect(service.control.retry(Fragile, 't4', ann)).rejects.toThrow('no step of this saga is parked');
    await expect(service.control.skip(Fragile, 't9', ann)).rejects.toThrow("there is no saga 'fragile' t9");
    await expect(service.control.resolve(Fragile, 't4', { by: 'ann', reason: ' ' })).rejects.toThrow("needs 'reason'");
    await expect(service.control.start(Fragile, { id: 't4' })).rejects.toThrow('has been started before');
  });
});
