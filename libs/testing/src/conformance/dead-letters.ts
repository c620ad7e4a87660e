import type { DeadLetter } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeDeadLetters(subject: Subject): void {
  const letter = (error: string): DeadLetter => ({
    reason: 'handler-failed',
    error,
    group: 'g',
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
      const letters = await subject().store.readDeadLetters(p, 2);
      expect(letters.map(({ error }) => error)).toEqual(['1', '2']);
      expect(new Set(letters.map(({ id }) => id)).size).toBe(2);
    });
  });
}
