import { refused } from '../call.js';
import { sagaOf } from '../code/saga-of.js';
import { sagaChart } from '../pictures/saga-chart.js';
import { sagaTimeline } from '../pictures/saga-timeline.js';
import { Saga } from '../saga-class.js';
import { historyOf, stateAt } from './saga-past.js';
import { SagaQueries } from './saga-queries.js';
import { SagaService, STORES } from './service.fixture.js';
import { Agreed, Wanted } from './wanted-trips.fixture.js';

@Saga('coded')
class Coded {
  readonly definition = sagaOf(
    Wanted,
    async (saga, { trip }) => {
      const offer = await saga.step('offer', () => (trip === 'mars' ? refused('too far') : `offer ${trip}`));
      const [{ trip: agreed }] = await Promise.all([
        saga.waitFor('agreement', Agreed, { within: '2h' }),
        saga.step('remind', () => 1),
      ]);
      return { offer, agreed };
    },
    { waitsFor: [Agreed] },
  )
    .within('1d')
    .keys(({ input, offer }) => ({ customer: input.customer, ...(offer ? { offer: String(offer) } : {}) }));
}

describe.each(STORES)('sagas in code on %s', (_name, open) => {
  let service: SagaService;
  let queries: SagaQueries;

  beforeEach(async () => {
    service = await new SagaService(open(), [Coded]).open();
    queries = new SagaQueries(service.broker, service.instances);
    for (const [trip, customer] of [
      ['t1', 'c1'],
      ['t2', 'c1'],
      ['t3', 'c2'],
    ] as const) {
      await service.publish(new Wanted(trip, customer));
      await service.reaches('coded', trip, ({ state }) => (state as { remind?: number }).remind === 1);
    }
  });
  afterEach(() => service.close());

  const ids = async (filter: Parameters<SagaQueries['list']>[1]) =>
    (await queries.list('coded', { order: 'oldest', ...filter })).sagas.map(({ id }) => id);

  it('are listed by the operation that they are at, by status and by the keys of their state', async () => {
    await service.publish(new Agreed('t2'));
    await service.outcomeOf('coded', 't2');

    expect(await ids({ step: 'agreement' })).toEqual(['t1', 't3']);
    expect(await ids({ step: 'offer' })).toEqual([]);
    expect(await ids({ status: 'completed' })).toEqual(['t2']);
    expect(await ids({ key: { customer: 'c1' } })).toEqual(['t1', 't2']);
    expect(await ids({ key: { offer: 'offer t3' } })).toEqual(['t3']);
    expect(await queries.count('coded')).toMatchObject({ running: 2, completed: 1 });
  });

  it('are due by what their operations wait for', async () => {
    const { wakeAt, startedAt } = (await service.instances.find('coded', 't1'))!;

    expect(wakeAt).toBeGreaterThanOrEqual(startedAt + 7_200_000);
    expect((await queries.due({ before: startedAt + 86_400_000 })).sagas).toMatchObject([
      { id: 't1', at: wakeAt },
      {},
      {},
    ]);
  });

  it('have a history, past states and a timeline', async () => {
    await service.publish(new Wanted('mars', 'c3'));
    const ended = await service.outcomeOf('coded', 'mars');
    const history = (await historyOf(service.broker, service.instances, 'coded', 'mars'))!;

    expect(stateAt(history, ended.updatedAt)).toEqual(ended.state);
    expect(sagaTimeline({ ...ended, history })).toMatch(/offer +refused/);
  });
});

describe('the chart of a saga in code', () => {
  it('has its code as one state: what it does shows when it runs', () => {
    const chart = sagaChart(new Coded());

    expect(chart).toMatch(/^stateDiagram-v2\n/);
    expect(chart).toContain('[*] --> n0 : trips.wanted');
    expect(chart).toContain('state "code (code)" as n0');
  });
});
