import { Acknowledger } from './acknowledger.js';
import { silent } from './logger.js';
import type { Source } from './partition.js';
import type { Acknowledgement } from './group-store.js';

const source: Source = { partition: { context: 'order', index: 0 }, log: 'feed' };
const entry = (id: string, from = source) => ({ source: from, id, fields: [] });

/** A store whose answers the test gives. */
class AnsweringStore {
  readonly asked: (readonly Acknowledgement[])[] = [];
  private readonly answers: { resolve: (held: boolean[]) => void; reject: (error: Error) => void }[] = [];

  acknowledge(requests: readonly Acknowledgement[]): Promise<boolean[]> {
    this.asked.push(requests);
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  }

  answer(...held: boolean[]): void {
    this.answers.shift()!.resolve(held);
  }

  fail(): void {
    this.answers.shift()!.reject(new Error('away'));
  }
}

function gathering() {
  const store = new AnsweringStore();
  const stop = new AbortController();
  const begun: Source[] = [];
  const ended: (readonly [epoch: number | undefined, held: boolean | undefined])[] = [];
  const acknowledger = new Acknowledger(store, 'g', silent, stop.signal, {
    begun: (of) => begun.push(of),
    ended: (_, epoch, held) => ended.push([epoch, held]),
  });
  return { store, stop, begun, ended, acknowledger };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

describe('acknowledgements', () => {
  it('of one turn go together, by log and by the epoch they were read under', async () => {
    const { store, acknowledger } = gathering();
    const other: Source = { ...source, log: 'in' };
    acknowledger.add(entry('1'), 7);
    acknowledger.add(entry('2'), 7);
    acknowledger.add(entry('3', other), 7);
    acknowledger.add(entry('4'), 8);
    await turn();
    expect(store.asked).toEqual([
      [
        expect.objectContaining({ source, group: 'g', epoch: 7, ids: ['1', '2'] }),
        expect.objectContaining({ source: other, epoch: 7, ids: ['3'] }),
        expect.objectContaining({ source, epoch: 8, ids: ['4'] }),
      ],
    ]);
  });

  it('leave before anything that waits for the turn to end', async () => {
    const { store, acknowledger } = gathering();
    const seen = new Promise<number>((resolve) => setImmediate(() => resolve(store.asked.length)));
    acknowledger.add(entry('1'), 1);
    expect(await seen).toBe(1);
  });

  it('count until they are answered', async () => {
    const { store, acknowledger } = gathering();
    acknowledger.add(entry('1'), 1);
    acknowledger.add(entry('2'), 1);
    expect(acknowledger.size).toBe(2);
    let roomy = false;
    void acknowledger.below(1).then(() => (roomy = true));
    await turn();
    expect(roomy).toBe(false);
    expect(acknowledger.waitingFor({ ...source })).toMatchObject([{ ids: ['1', '2'], epoch: 1 }]);
    store.answer(true);
    await until(() => roomy);
    expect(acknowledger.size).toBe(0);
    expect(acknowledger.waitingFor(source)).toEqual([]);
  });

  it('tell whose lease has become another one', async () => {
    const { store, begun, ended, acknowledger } = gathering();
    acknowledger.add(entry('1'), 3);
    acknowledger.add(entry('2'), 4);
    await turn();
    store.answer(false, true);
    await acknowledger.below(1);
    expect(begun).toEqual([source, source]);
    expect(ended).toEqual([
      [3, false],
      [4, true],
    ]);
  });

  it('are repeated while the store is away, and commits wait as long', async () => {
    const { store, acknowledger } = gathering();
    acknowledger.add(entry('1'), 1);
    await turn();
    expect(acknowledger.certain).toBeUndefined();
    store.fail();
    await until(() => acknowledger.certain !== undefined);
    let certain = false;
    void acknowledger.certain!.then(() => (certain = true));
    await until(() => store.asked.length === 2);
    expect(certain).toBe(false);
    store.answer(true);
    await until(() => certain && acknowledger.certain === undefined);
    expect(store.asked[1]).toEqual(store.asked[0]);
  });

  it('are given up when nobody waits any more', async () => {
    const { store, stop, ended, acknowledger } = gathering();
    acknowledger.add(entry('1'), 1);
    await turn();
    stop.abort();
    store.fail();
    await acknowledger.below(1);
    expect(ended).toEqual([[1, undefined]]);
    expect(store.asked).toHaveLength(1);
  });
});
