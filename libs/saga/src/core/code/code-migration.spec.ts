import type { PartitionStore } from '@millrace/broker';
import { SagaMigrations } from '../runtime/saga-migrations.js';
import { SagaService, STORES } from '../runtime/service.fixture.js';
import { Saga } from '../saga-class.js';
import type { SagaHolder } from '../saga-class.js';
import type { CodeSteps } from './code-steps.js';
import { sagaOf } from './saga-of.js';
import { Agreed, Wanted } from '../runtime/wanted-trips.fixture.js';

type Body = (saga: CodeSteps, wanted: Wanted) => Promise<unknown>;
type Version = new () => SagaHolder;

/** A class for one version of the saga. */
function versioned(version: number, body: Body): Version {
  @Saga('coded', { version })
  class Coded {
    readonly definition = sagaOf(Wanted, body, { waitsFor: [Agreed] });
  }
  return Coded;
}

const begins: Body = async (saga, { trip }) => {
  const offer = await saga.step('offer', () => `offer ${trip}`);
  await saga.waitFor('agreement', Agreed);
  return offer;
};
const plan = { from: 1, to: 2, by: 'ann', reason: 'invoices' };

describe.each(STORES)('an instance of a saga in code on %s', (_name, open) => {
  let store: PartitionStore;
  let service: SagaService;
  beforeEach(() => void (store = open()));
  afterEach(() => service.close());

  /** A service with both versions, when a trip waits for its agreement in the first one, or is parked there. */
  async function both(first: Body, second: Body, isThere = 'agreement'): Promise<SagaMigrations> {
    const old = await new SagaService(store, [versioned(1, first)]).open();
    await old.publish(new Wanted('t1'));
    await old.reaches('coded', 't1', ({ status, run }) =>
      isThere === 'parked' ? status === 'parked' : JSON.stringify(run).includes(`"${isThere}"`),
    );
    await old.stop();
    service = await new SagaService(store, [versioned(1, first), versioned(2, second)]).open();
    return new SagaMigrations(service.broker, service.instances);
  }

  it('goes on with code that begins the same, and other operations behind it', async () => {
    const migrations = await both(begins, async (saga, wanted) => {
      const offer = await begins(saga, wanted);
      return saga.step('invoice', () => `invoice for ${offer as string}`);
    });
    expect(await migrations.migrate('coded', plan, { dryRun: true })).toEqual({ migrated: ['t1'], refused: [] });
    expect(await service.instances.find('coded', 't1')).toMatchObject({ version: 1 });
    expect(await migrations.migrate('coded', plan)).toEqual({ migrated: ['t1'], refused: [] });
    await service.publish(new Agreed('t1'));

    expect(await service.outcomeOf('coded', 't1')).toMatchObject({
      version: 2,
      status: 'completed',
      state: { output: 'invoice for offer t1' },
      history: expect.arrayContaining([expect.objectContaining({ what: 'migrated', by: 'ann' })]),
    });
  });

  it('stays where it is when the code begins something else, which is named, also by the dry run', async () => {
    const migrations = await both(begins, async (saga, wanted) => {
      await saga.step('check', () => 1);
      return begins(saga, wanted);
    });
    const { migrated, refused } = await migrations.migrate('coded', plan, { dryRun: true });

    expect(migrated).toEqual([]);
    expect(refused).toMatchObject([
      { id: 't1', reason: expect.stringContaining("operation 0 was step 'offer' and now is step 'check'") },
    ]);
    expect(await migrations.migrate('coded', plan)).toEqual({ migrated, refused });
    await service.publish(new Agreed('t1'));
    expect(await service.outcomeOf('coded', 't1')).toMatchObject({ version: 1, status: 'completed' });
  });

  it('stays where it is when operations were taken away', async () => {
    const migrations = await both(begins, async (_saga, { trip }) => trip);

    expect((await migrations.migrate('coded', plan)).refused).toMatchObject([
      { id: 't1', reason: expect.stringContaining('the code has returned') },
    ]);
  });

  it('takes its answers along under their new names', async () => {
    const migrations = await both(begins, async (saga, { trip }) => {
      const offer = await saga.step('price', () => `price of ${trip}`);
      await saga.waitFor('agreement', Agreed);
      return offer;
    });
    expect((await migrations.migrate('coded', plan, { dryRun: true })).migrated).toEqual([]);
    const at = (step: string) => (step === 'offer' ? 'price' : step);
    expect((await migrations.migrate('coded', { ...plan, at })).migrated).toEqual(['t1']);
    await service.publish(new Agreed('t1'));

    expect(await service.outcomeOf('coded', 't1')).toMatchObject({
      version: 2,
      state: { price: 'offer t1', output: 'offer t1' },
    });
  });

  it('that cannot go on is moved to code without the defect, and tried again', async () => {
    const broken: Body = async (saga, wanted) => {
      await saga.step('offer', () => 1);
      return (wanted as unknown as { traveller: { name: string } }).traveller.name;
    };
    const migrations = await both(broken, begins, 'parked');
    expect((await migrations.migrate('coded', plan)).migrated).toEqual(['t1']);
    await service.control.retry('coded', 't1', { by: 'ann', reason: 'corrected' });
    await service.publish(new Agreed('t1'));

    expect(await service.outcomeOf('coded', 't1')).toMatchObject({
      version: 2,
      status: 'completed',
      state: { output: 1 },
    });
  });
});
