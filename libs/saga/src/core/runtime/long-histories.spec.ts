import { saga } from '../dsl/saga.js';
import type { HistoryEntry, SagaInstance } from '../instance.js';
import { Saga } from '../saga-class.js';
import { historyOf, stateAt } from './saga-past.js';
import { SagaRetention } from './saga-retention.js';
import { historyName } from './saga-writes.js';
import { SagaService, STORES } from './service.fixture.js';

interface State {
  readonly letters: number;
  readonly written: number;
}

/** Writes letters: two entries of its history for each. */
@Saga('write-letters')
class WriteLetters {
  readonly definition = saga<State>()
    .startsByCall(({ letters }: { letters: number }) => ({ letters, written: 0 }), { id: () => 'w1' })
    .each(
      'letters',
      ({ letters }) => Array.from({ length: letters }, (_, at) => at),
      (letter) =>
        letter.step('write', (s) =>
          s.calls((_, { item }) => item).onResult((state) => ({ ...state, written: state.written + 1 })),
        ),
    );
}

/** So many that there are several pages. */
const LETTERS = 120;

describe.each(STORES)('a long history on %s', (_name, open) => {
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  let service: SagaService;
  let ended: SagaInstance<State>;

  beforeEach(async () => {
    clock.ahead = 0;
    service = await new SagaService(open(), [WriteLetters], [], clock).open();
    await service.control.start('write-letters', { letters: LETTERS });
    ended = await service.outcomeOf<State>('write-letters', 'w1');
  });
  afterEach(() => service.close());

  const history = async (): Promise<readonly HistoryEntry[]> =>
    (await historyOf(service.broker, service.instances, 'write-letters', 'w1'))!;
  const page = (at: number) =>
    service.store.readState(service.broker.partitionFor('w1'), historyName('write-letters', 'w1', at));

  it('is stored on pages, so that the instance stays short, and read as one', async () => {
    expect(ended.status).toBe('completed');
    expect(ended.pages).toBeGreaterThan(1);
    expect(ended.history.length).toBeLessThan(LETTERS);
    const told = (await history()).map(({ path, what }) => `${path} ${what}`.trim());

    expect(told).toEqual([
      'started',
      ...Array.from({ length: LETTERS }, (_, at) => [`0.${at}.0 sent`, `0.${at}.0 done`]).flat(),
      'completed',
    ]);
  });

  it('tells every past state, also those on the first page', async () => {
    const whole = await history();
    const written = (moment: number) => (stateAt(whole, moment) as State | undefined)?.written;

    expect(written(ended.startedAt - 1)).toBeUndefined();
    for (const { at } of whole) {
      expect(written(at)).toBe(whole.filter((entry) => entry.what === 'done' && entry.at <= at).length);
    }
    expect(stateAt(whole, ended.updatedAt)).toEqual({ letters: LETTERS, written: LETTERS });
  });

  it('is removed with its saga, page by page', async () => {
    const retention = new SagaRetention(service.broker, service.instances);
    retention.keep('write-letters', { completed: '1d' });
    clock.ahead = 2 * 86_400_000;

    expect(await page(0)).toBeDefined();
    expect(await retention.sweep()).toBe(1);
    for (let at = 0; at <= ended.pages!; at++) expect(await page(at)).toBeUndefined();
    expect(await historyOf(service.broker, service.instances, 'write-letters', 'w1')).toBeUndefined();
  });
});
