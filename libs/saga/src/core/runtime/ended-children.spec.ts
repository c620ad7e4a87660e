import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import { saga } from '../dsl/saga.js';
import { Saga } from '../saga-class.js';
import { SagaRetention } from './saga-retention.js';
import { SagaService, STORES } from './service.fixture.js';

@Event('trips.left', { key: 'trip' })
class Left {
  @IsString() readonly trip: string;

  constructor(trip: string) {
    this.trip = trip;
  }
}

const undone: string[] = [];

@Saga('pack')
class Pack {
  readonly definition = saga<{ readonly trip: string }>()
    .startsByCall(({ trip }: { trip: string }) => ({ trip }))
    .step('pack', (s) => s.calls(() => 'packed').compensates(({ trip }) => void undone.push(trip)));
}

/** Has a child that ends at once, and waits itself. */
@Saga('travel')
class Travel {
  readonly definition = saga<{ readonly trip: string }>()
    .startsByCall(({ trip }: { trip: string }) => ({ trip }), { id: ({ trip }) => trip })
    .child('pack', Pack, ({ trip }) => ({ trip }))
    .waitFor('departure', Left);
}

const decision = { by: 'ann', reason: 'ill' };

describe.each(STORES)('a saga with a child, after their time, on %s', (_name, open) => {
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  let service: SagaService;
  let retention: SagaRetention;

  beforeEach(async () => {
    clock.ahead = 0;
    undone.length = 0;
    service = await new SagaService(open(), [Pack, Travel], [], clock).open();
    retention = new SagaRetention(service.broker, service.instances);
    for (const each of ['pack', 'travel']) retention.keep(each, { completed: '1d', compensated: '1d' });
  });
  afterEach(() => service.close());

  const child = (trip: string) => service.instances.find('pack', `${trip}.0`);
  const parent = (trip: string) => service.instances.find('travel', trip);
  /** A saga that has ended, or that waits, with a child that has ended. */
  const travelling = async (trip: string): Promise<void> => {
    await service.control.start('travel', { trip });
    await service.reaches('travel', trip, ({ run }) => run.runs.length === 2);
    expect(await child(trip)).toMatchObject({ status: 'completed' });
  };

  it('keeps the child as long as it is under way itself: it may have to undo it', async () => {
    await travelling('t1');
    clock.ahead = 2 * 86_400_000;

    expect(await retention.sweep()).toBe(0);
    expect(await child('t1')).toMatchObject({ status: 'completed' });
    await service.control.cancel('travel', 't1', decision);
    expect(await service.outcomeOf('travel', 't1')).toMatchObject({ status: 'compensated' });
    expect(undone).toEqual(['t1']);
  });

  it('is removed, and the child too, once both are past their time', async () => {
    await travelling('t1');
    await travelling('t2');
    await service.publish(new Left('t1'));
    await service.outcomeOf('travel', 't1');
    clock.ahead = 2 * 86_400_000;

    expect(await retention.sweep()).toBe(2);
    expect([await parent('t1'), await child('t1')]).toEqual([undefined, undefined]);
    expect(await parent('t2')).toMatchObject({ status: 'running' });
    expect(await child('t2')).toMatchObject({ status: 'completed' });
  });

  it('lets a child go that is kept shorter, once its saga has ended', async () => {
    retention.keep('travel', { completed: '10d' });
    await travelling('t1');
    await service.publish(new Left('t1'));
    await service.outcomeOf('travel', 't1');
    clock.ahead = 2 * 86_400_000;

    expect(await retention.sweep()).toBe(1);
    expect(await child('t1')).toBeUndefined();
    expect(await parent('t1')).toMatchObject({ status: 'completed' });
  });
});
