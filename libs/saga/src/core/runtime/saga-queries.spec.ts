import { Command, Reply } from '@millrace/messages';
import { IsString } from 'class-validator';
import { saga } from '../dsl/saga.js';
import type { SagaInstance } from '../instance.js';
import { Saga } from '../saga-class.js';
import { historyOf, stateAt } from './saga-past.js';
import { SagaQueries } from './saga-queries.js';
import { SagaRetention } from './saga-retention.js';
import { SagaService, STORES } from './service.fixture.js';
import { Agreed, Wanted } from './wanted-trips.fixture.js';

@Reply('trips.noted')
class Noted {}

@Command('trips.note', { key: 'trip' })
class Note extends Command<Noted> {
  @IsString() readonly trip: string;

  constructor(trip: string) {
    super();
    this.trip = trip;
  }
}

interface State {
  readonly trip: string;
  readonly customer: string;
  readonly noted?: true;
  readonly agreed?: true;
}

/** Notes, and waits for an agreement. */
@Saga('plan-trip')
class PlanTrip {
  readonly definition = saga<State>()
    .startsOn(Wanted, ({ trip, customer }) => ({ trip, customer }))
    .step('note', (s) =>
      s.sends(({ trip }) => new Note(trip)).onReply(Noted, (state) => ({ ...state, noted: true as const })),
    )
    .waitFor('agreement', Agreed, {
      onEvent: (state) => ({ ...state, agreed: true as const }),
      within: '2h',
    })
    .within('1d')
    .keys(({ customer }) => ({ customer }));
}

const decision = { by: 'ann', reason: 'asked on the phone' };
const DAY = 86_400_000;

describe.each(STORES)('sagas on %s', (_name, open) => {
  let service: SagaService;
  let queries: SagaQueries;
  const waiting = async (...trips: string[]): Promise<SagaInstance[]> => {
    const found: SagaInstance[] = [];
    for (const trip of trips) {
      await service.publish(new Wanted(trip, trip < 't5' ? 'c1' : 'c2'));
      found.push(await service.reaches<State>('plan-trip', trip, ({ state }) => state.noted === true));
    }
    return found;
  };
  const agree = async (trip: string) => {
    await service.publish(new Agreed(trip));
    return service.outcomeOf('plan-trip', trip);
  };
  const ids = async (...list: Parameters<SagaQueries['list']>) =>
    (await queries.list(...list)).sagas.map(({ id }) => id);

  beforeEach(async () => {
    service = await new SagaService(open(), [PlanTrip], [[Note, () => new Noted()]]).open();
    queries = new SagaQueries(service.broker, service.instances);
  });
  afterEach(() => service.close());

  it('are listed by status, step, business key and start, and are where they are now', async () => {
    const [t1, t2] = await waiting('t1', 't2', 't6');
    await agree('t2');
    expect(await ids(undefined, { order: 'oldest' })).toEqual(['t1', 't2', 't6']);
    expect(await ids('plan-trip', { status: 'running' })).toEqual(['t6', 't1']);
    expect(await ids('plan-trip', { status: 'completed' })).toEqual(['t2']);
    expect(await ids('plan-trip', { step: 'agreement' })).toEqual(['t6', 't1']);
    expect(await ids('plan-trip', { step: 'note' })).toEqual([]);
    expect(await ids('plan-trip', { key: { customer: 'c1' } })).toEqual(['t2', 't1']);
    expect(await ids('plan-trip', { started: { before: t2!.startedAt } })).toEqual(['t1']);
    expect(await ids('plan-trip', { started: { after: t1!.startedAt + 1 }, order: 'oldest' })).toEqual(['t2', 't6']);
    expect(await ids('other')).toEqual([]);
    const { sagas } = await queries.list('plan-trip', { status: 'completed' });
    expect(sagas[0]!.state).toEqual({ trip: 't2', customer: 'c1', noted: true, agreed: true });
  });

  it('are listed by deadline, which a person moves and takes away, with a name and a reason', async () => {
    const [t1, t2] = await waiting('t1', 't2');
    const later = new Date(t2!.deadline! + DAY);
    await service.control.moveDeadline('plan-trip', 't1', later, decision);
    expect(await ids('plan-trip', { deadline: {} })).toEqual(['t2', 't1']);
    expect(await ids('plan-trip', { deadline: { before: later } })).toEqual(['t2']);
    expect(await ids('plan-trip', { deadline: { after: later } })).toEqual(['t1']);
    await service.control.moveDeadline('plan-trip', 't2', undefined, decision);
    expect(await ids('plan-trip', { deadline: {} })).toEqual(['t1']);
    const moved = (await service.instances.find('plan-trip', 't1'))!;
    expect(moved.deadline).toBe(later.getTime());
    expect(moved.history.at(-1)).toMatchObject({
      what: 'deadline-moved',
      by: 'ann',
      why: decision.reason,
      reason: later.toISOString(),
    });
    const past = new Date(t1!.startedAt);
    await expect(service.control.moveDeadline('plan-trip', 't1', past, decision)).rejects.toThrow('a moment to come');
    await agree('t1');
    await expect(service.control.moveDeadline('plan-trip', 't1', later, decision)).rejects.toMatchObject({
      code: 'not-possible',
    });
  });

  it.each(['newest', 'oldest'] as const)('are read page by page over all partitions, the %s first', async (order) => {
    const trips = Array.from({ length: 7 }, (_, i) => `t${i}`);
    await waiting(...trips);
    const read: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await queries.list(undefined, { order, limit: 3, cursor });
      read.push(...page.sagas.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(read).toEqual(order === 'oldest' ? trips : trips.reverse());
  });

  it('are counted by status', async () => {
    await waiting('t1', 't2', 't3');
    await agree('t3');
    await service.control.cancel('plan-trip', 't1', decision);
    await service.outcomeOf('plan-trip', 't1');
    expect(await queries.count()).toMatchObject({ running: 1, completed: 1, compensated: 1, parked: 0, aborted: 0 });
    expect(await queries.count('other')).toMatchObject({ running: 0, completed: 0 });
  });

  it('say what is due when', async () => {
    const [t1, t2] = await waiting('t1', 't2');
    const due = async (before: number) => (await queries.due({ before })).sagas;
    expect(await due(t1!.startedAt + DAY)).toEqual([
      { saga: 'plan-trip', id: 't1', at: t1!.wakeAt },
      { saga: 'plan-trip', id: 't2', at: t2!.wakeAt },
    ]);
    expect(await queries.due({ before: t1!.startedAt + DAY, saga: 'other' })).toEqual({ sagas: [], cursor: undefined });
    expect(await due(t1!.startedAt + 3_600_000)).toEqual([]);
  });

  it.each([1, 3, 100])('say what is due page by page, %i on each, over all partitions, each once', async (limit) => {
    const trips = Array.from({ length: 7 }, (_, i) => `t${i}`);
    const [first] = await waiting(...trips);
    const pages: (readonly string[])[] = [];
    let cursor: string | undefined;
    do {
      const page = await queries.due({ before: first!.startedAt + DAY, limit, cursor });
      const times = page.sagas.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      pages.push(page.sagas.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(pages.flat().sort()).toEqual(trips);
    expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(limit);
  });

  it('refuse a cursor of another list of what is due, and a limit that is none', async () => {
    const [t1] = await waiting('t1', 't2');
    const before = t1!.startedAt + DAY;
    const { cursor } = await queries.due({ before, limit: 1 });
    expect(cursor).toBeDefined();
    await expect(queries.due({ before, saga: 'other', cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
    await expect(queries.due({ before, limit: 0 })).rejects.toThrow('write an integer from 1 to 1000');
  });

  it('have a whole history, of which every past state is made', async () => {
    const [{ startedAt }] = (await waiting('t1')) as [SagaInstance];
    const ended = await agree('t1');
    const history = (await historyOf(service.broker, service.instances, 'plan-trip', 't1'))!;
    expect(history).toEqual(ended.history);
    const noted = history.find(({ step, what }) => step === 'note' && what === 'done')!;
    expect(stateAt(history, startedAt - 1)).toBeUndefined();
    expect(stateAt(history, noted.at)).toMatchObject({ trip: 't1', noted: true });
    expect(stateAt(history, ended.updatedAt)).toEqual(ended.state);
    expect(await historyOf(service.broker, service.instances, 'plan-trip', 'nobody')).toBeUndefined();
  });

  it('are removed after their time, none that has not ended, and are not started again by the same id', async () => {
    await waiting('t1', 't2');
    const { endedAt } = await agree('t2');
    const retention = new SagaRetention(service.broker, service.instances);
    retention.keep('plan-trip', { completed: '30d' });
    expect(await retention.sweep()).toBe(0);
    retention.keep('plan-trip', { completed: 1 });
    while (service.broker.clock.now() <= endedAt! + 1) await new Promise((resolve) => setImmediate(resolve));
    expect(await retention.sweep()).toBe(1);
    expect(await retention.sweep()).toBe(0);
    expect(await service.instances.find('plan-trip', 't2')).toBeUndefined();
    expect(await ids('plan-trip')).toEqual(['t1']);
    await expect(service.control.start('plan-trip', new Wanted('t2', 'c1'))).rejects.toMatchObject({
      code: 'already-started',
    });
    await service.publish(new Wanted('t2', 'c1'));
    await waiting('t3');
    expect(await ids('plan-trip')).toEqual(['t3', 't1']);
  });

  it.each([
    [{ status: 'lost' }, "status 'lost'"],
    [{ status: 'running', step: 'note' }, 'status and step'],
    [{ key: {} }, 'one business key'],
    [{ limit: 0 }, 'limit 0'],
    [{ order: 'random' }, "order 'random'"],
    [{ deadline: {}, started: {} }, 'deadline with started'],
    [{ started: { after: Number.NaN } }, 'started.after'],
    [{ state: 'running' }, "'state'"],
  ])('refuse the filter %j', async (filter, said) => {
    await expect(queries.list('plan-trip', filter as object)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(said),
    });
  });

  it('refuse a cursor of another list, and what is none', async () => {
    await waiting('t1', 't2');
    const { cursor } = await queries.list('plan-trip', { limit: 1 });
    expect(cursor).toBeDefined();
    await expect(queries.list('plan-trip', { status: 'running', cursor })).rejects.toMatchObject({
      code: 'invalid-cursor',
    });
    await expect(queries.list('plan-trip', { cursor: 'x' })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });
});
