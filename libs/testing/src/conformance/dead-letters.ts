import { ownLog } from '@millrace/broker';
import type { DeadLetter, Guard, KeptLetter, Partition, Write } from '@millrace/broker';
import { deliver } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeDeadLetters(subject: Subject): void {
  const letter = (error: string): DeadLetter => ({
    reason: 'handler-failed',
    error,
    errorClass: 'TypeError',
    group: 'g',
    type: 'catalog.reserve-stock',
    key: 'order 7',
    redriven: 0,
    entry: { source: inboxOf({ context: 'elsewhere', index: 2 }), id: '1700000000000-3' },
    attempts: 5,
    first: 1_800_000_000_000,
    last: 1_800_000_000_999,
    fields: ['type', 'catalog.reserve-stock', 'data', '{"not":"json', 'empty', ''],
  });

  async function lettersIn(...letters: DeadLetter[]) {
    const partition = freshPartition();
    const writes = letters.map((each) => ({ kind: 'dead-letter', letter: each }) as const);
    await subject().store.commit({ partition, guards: [], writes });
    return partition;
  }

  describe('dead letters', () => {
    it('are none at first', async () => {
      expect(await subject().store.readDeadLetters(freshPartition(), 10)).toEqual([]);
    });

    it('are kept exactly, with an id', async () => {
      const original = letter('broke\nin two "lines" 🙂');
      const p = await lettersIn(original);
      expect(await subject().store.readDeadLetters(p, 10)).toEqual([{ ...original, id: expect.any(String) }]);
    });

    it('are kept with no fields at all', async () => {
      const original = { ...letter('e'), fields: [] };
      const p = await lettersIn(original);
      expect(await subject().store.readDeadLetters(p, 10)).toEqual([{ ...original, id: expect.any(String) }]);
    });

    it('are read oldest first, up to the limit, under ids of their own', async () => {
      const p = await lettersIn(letter('1'), letter('2'), letter('3'));
      const { store } = subject();
      const letters = await store.readDeadLetters(p, 2);
      expect(letters.map(({ error }) => error)).toEqual(['1', '2']);
      expect(new Set(letters.map(({ id }) => id)).size).toBe(2);
      expect((await store.readDeadLetters(p, 2, letters[1]!.id)).map(({ error }) => error)).toEqual(['3']);
      expect(await store.readDeadLetter(p, letters[1]!.id)).toEqual(letters[1]);
      expect(await store.readDeadLetter(p, '1-1')).toBeUndefined();
      expect(await store.countDeadLetters(p)).toBe(3);
    });

    it('have a newest one in the figures of their partition', async () => {
      const p = await lettersIn(letter('1'), letter('2'));
      const { store } = subject();
      const [first, second] = await store.readDeadLetters(p, 2);
      expect((await store.survey(p)).newestDeadLetter).toEqual({ id: second!.id, ms: expect.any(Number) });
      await store.commit({ partition: p, guards: [], writes: [{ kind: 'discard', id: second!.id }] });
      const { newestDeadLetter, deadLetters } = await store.survey(p);
      expect([newestDeadLetter?.id, deadLetters]).toEqual([first!.id, 1]);
      expect(newestDeadLetter!.ms).toBeLessThan(60_000);
    });

    it('may lack type and key', async () => {
      const original = { ...letter('e'), type: undefined, key: undefined, errorClass: '' };
      const p = await lettersIn(original);
      expect(await subject().store.readDeadLetters(p, 10)).toEqual([{ ...original, id: expect.any(String) }]);
    });
  });

  describe('dead letters that are taken up', () => {
    const at = (partition: Partition) => ({
      commit: (guards: Guard[], ...writes: Write[]) => subject().store.commit({ partition, guards, writes }),
      letters: () => subject().store.readDeadLetters(partition, 10),
      own: async (group = 'g') =>
        (await deliver(subject(), { partition, log: ownLog(group) }, group)).map(({ fields }) => fields),
      holders: async () => {
        const { store } = subject();
        const holders = await store.readParked(partition, 'g');
        expect(await store.readHolder(partition, 'g', 'order 7')).toBe(holders.get('order 7'));
        return Object.fromEntries(holders);
      },
    });
    const there = (id: string): Guard => ({ kind: 'dead-letter', id });
    const GONE = { status: 'refused', guard: 'dead-letter', found: 'gone' };

    it('move to the own log of their group, with where they come from before their fields', async () => {
      const p = await lettersIn({ ...letter('1'), redriven: 2 }, letter('2'));
      const { commit, letters, own } = at(p);
      const [first, second] = await letters();
      const redrive = { kind: 'redrive', id: first!.id, group: 'g' } as const;
      expect(await commit([there(first!.id)], redrive)).toMatchObject({ status: 'committed' });
      expect(await commit([there(first!.id)], redrive)).toEqual(GONE);
      const origin = ['origin', 'in/1700000000000-3', 'redriven', '3', 'first', '1800000000000', 'parked', ''];
      expect(await own()).toEqual([[...origin, ...first!.fields]]);
      expect(await own('h')).toEqual([]);
      expect(await letters()).toEqual([second]);
    });

    it('move once, however many move them at the same time', async () => {
      const p = await lettersIn(letter('1'));
      const { commit, letters, own } = at(p);
      const [{ id }] = (await letters()) as [KeptLetter];
      const redrive = { kind: 'redrive', id, group: 'g' } as const;
      const results = await Promise.all(Array.from({ length: 8 }, () => commit([there(id)], redrive)));
      expect(results.filter(({ status }) => status === 'committed')).toHaveLength(1);
      expect(await own()).toHaveLength(1);
    });

    it('move with other fields', async () => {
      const p = await lettersIn(letter('1'));
      const { commit, letters, own } = at(p);
      const [{ id }] = (await letters()) as [KeptLetter];
      await commit([there(id)], { kind: 'redrive', id, group: 'g', fields: ['event', '{"edited":"ä🙂"}'] });
      expect((await own())[0]!.slice(8)).toEqual(['event', '{"edited":"ä🙂"}']);
    });

    it('are discarded', async () => {
      const p = await lettersIn(letter('1'));
      const { commit, letters, own } = at(p);
      const [{ id }] = (await letters()) as [KeptLetter];
      expect(await commit([there(id)], { kind: 'discard', id })).toMatchObject({ status: 'committed' });
      expect(await commit([there(id)], { kind: 'discard', id })).toEqual(GONE);
      expect([await letters(), await own()]).toEqual([[], []]);
    });

    it('hold their key back until nothing waits behind them, and what waits follows in order', async () => {
      const partition = freshPartition();
      const { commit, letters, own, holders } = at(partition);
      const waiting = (error: string) => ({ ...letter(error), reason: 'parked' });
      const behind = (error: string) => ({ kind: 'dead-letter', letter: waiting(error), park: 'behind' }) as const;
      const held: Guard = { kind: 'parked', group: 'g', key: 'order 7' };
      const unpark = { kind: 'unpark', group: 'g', key: 'order 7' } as const;
      expect(await commit([held], behind('early'))).toEqual({ status: 'refused', guard: 'parked', found: '' });

      await commit([], { kind: 'dead-letter', letter: letter('head'), park: 'head' });
      const [head] = await letters();
      expect(await holders()).toEqual({ 'order 7': head!.id });
      expect(await commit([{ ...held, key: 'order 8' }])).toMatchObject({ status: 'refused', guard: 'parked' });
      expect(await commit([{ ...held, group: 'h' }])).toMatchObject({ status: 'refused', guard: 'parked' });
      expect(await commit([{ ...held, behind: '1-1' }])).toEqual({
        status: 'refused',
        guard: 'parked',
        found: head!.id,
      });
      for (const error of ['one', 'two', 'three']) await commit([held], behind(error));
      expect((await letters()).map(({ error }) => error)).toEqual(['head', 'one', 'two', 'three']);

      const redrive = { kind: 'redrive', id: head!.id, group: 'g', parked: 'order 7' } as const;
      await commit([there(head!.id), { ...held, behind: head!.id }], redrive);
      expect(await holders()).toEqual({ 'order 7': 'redriven' });
      const two = (await letters()).find(({ error }) => error === 'two')!;
      await commit([], { kind: 'discard', id: two.id });
      expect(await own()).toHaveLength(1);

      await commit([held], unpark);
      const parked = ['origin', 'in/1700000000000-3', 'redriven', '0', 'first', '', 'parked', 'order 7'];
      expect(await own()).toEqual([[...parked, ...head!.fields]]);
      await commit([held], { kind: 'dead-letter', letter: letter('again'), park: 'head' });
      const again = (await letters()).at(-1)!;
      expect(await holders()).toEqual({ 'order 7': again.id });
      await commit([there(again.id), { ...held, behind: again.id }], { kind: 'discard', id: again.id }, unpark);
      expect(await holders()).toEqual({ 'order 7': 'redriven' });
      expect(await own()).toHaveLength(1);
      await commit([held], unpark);
      expect([await holders(), await letters(), await own()]).toEqual([{}, [], []]);
      expect(await commit([held])).toEqual({ status: 'refused', guard: 'parked', found: '' });
    });
  });
}
