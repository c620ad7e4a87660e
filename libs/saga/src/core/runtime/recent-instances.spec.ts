import { Broker } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import { formatCommandId } from '../command-id.js';
import { CreditChecked, OrderPlaced, OutOfStock, placeOrder, StockReserved } from '../place-order.fixture.js';
import type { SagaInput } from '../transition.js';
import { SagaDefinitions } from './saga-definitions.js';
import { SagaInstances } from './saga-instances.js';
import { STORES } from './service.fixture.js';

const reply = (step: number, data: object): SagaInput => {
  const { type, failure } = contractOf(data);
  const inReplyTo = formatCommandId({
    saga: 'place-order',
    id: '4711',
    path: String(step),
    direction: 'do',
    attempt: 1,
  });
  return { kind: 'reply', inReplyTo, outcome: failure ? 'failure' : 'success', type, data };
};

describe.each(STORES)('instances that were stored lately, on %s', (_name, open) => {
  let store: PartitionStore;
  let reads: number;
  let ahead: number;
  const process = (): SagaInstances => {
    const broker = new Broker(store, { context: 'order', partitions: 2, clock: { now: () => Date.now() + ahead } });
    const definitions = new SagaDefinitions();
    definitions.add(placeOrder);
    return new SagaInstances(broker, definitions);
  };
  const act = async (instances: SagaInstances, input: SagaInput) =>
    (await instances.act('place-order', '4711', input)).outcome;
  const start: SagaInput = { kind: 'start', id: '4711', input: new OrderPlaced('4711', 990) };

  beforeEach(() => {
    store = open();
    reads = 0;
    ahead = 0;
    const readState = store.readState.bind(store);
    store.readState = (...place) => {
      reads++;
      return readState(...place);
    };
  });
  afterEach(() => store.close());

  it('are moved without reading them', async () => {
    const here = process();
    await act(here, start);
    reads = 0;
    expect(await act(here, reply(0, new StockReserved('r')))).toBe('moved');
    expect(await act(here, reply(1, new CreditChecked('good')))).toBe('moved');
    expect(reads).toBe(0);
    expect((await here.find('place-order', '4711'))!.state).toEqual({ orderId: '4711', total: 990, reservation: 'r' });
  });

  it('count what has happened before, though that is left out of what is known', async () => {
    const here = process();
    await act(here, start);
    reads = 0;
    for (const _attempt of [1, 2]) {
      ahead += 60_000;
      expect(await act(here, { kind: 'wake' })).toBe('moved');
    }
    expect(reads).toBe(0);
    const { history } = (await here.find('place-order', '4711'))!;
    expect(history.map(({ what, times }) => `${what} ${times}`)).toEqual(['started 1', 'sent 3', 'timed-out 2']);
  });

  it('note what comes too late, though what it answers is left out of what is known', async () => {
    const here = process();
    await act(here, start);
    await act(here, reply(0, new StockReserved('r')));
    expect(await act(here, reply(0, new StockReserved('again')))).toBe('noted');
  });

  it('are read when another process has moved them since', async () => {
    const [here, elsewhere] = [process(), process()];
    await act(here, start);
    await act(elsewhere, { kind: 'cancel', by: 'ann', why: 'asked' });
    reads = 0;
    // As it was known, the saga would go forward.
    expect(await act(here, reply(0, new StockReserved('r')))).toBe('moved');
    expect(reads).toBe(1);
    const instance = (await here.find('place-order', '4711'))!;
    expect(instance.status).toBe('compensating');
    expect(instance.history.map(({ what }) => what)).toEqual(['started', 'sent', 'cancelled', 'done', 'sent']);
  });

  it('are read before an input is ignored', async () => {
    const [here, elsewhere] = [process(), process()];
    await act(here, start);
    await act(elsewhere, reply(0, new StockReserved('r')));
    // As it was known, the saga has not asked for that yet.
    expect(await act(here, reply(1, new CreditChecked('good')))).toBe('moved');
    expect((await here.find('place-order', '4711'))!.run.runs).toMatchObject([
      { phase: 'done' },
      { phase: 'done' },
      {},
    ]);
  });

  it('are read when their commit was refused', async () => {
    const here = process();
    await act(here, start);
    const commit = store.commit.bind(store);
    store.commit = async () => ({ status: 'refused', guard: 'revision', found: '7' });
    await expect(act(here, reply(0, new OutOfStock('book')))).rejects.toMatchObject({ code: 'conflict' });
    store.commit = commit;
    reads = 0;
    expect(await act(here, reply(0, new OutOfStock('book')))).toBe('moved');
    expect(reads).toBe(1);
  });

  it('are read again when they are over', async () => {
    const here = process();
    await act(here, start);
    await act(here, { kind: 'cancel', by: 'ann', why: 'asked' });
    await act(here, reply(0, new OutOfStock('book')));
    const ended = async () => (await here.find('place-order', '4711'))!.status;
    await here.act('place-order', '4711', { kind: 'abort', by: 'ann', why: 'asked' });
    expect(await ended()).toBe('aborted');
    reads = 0;
    expect(await act(here, reply(0, new StockReserved('r')))).not.toBe('moved');
    expect(reads).toBe(1);
  });
});
