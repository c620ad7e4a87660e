import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeViews(subject: Subject): void {
  async function viewWith(rows: Record<string, string | null>, partition = freshPartition()) {
    await subject().store.commit({
      partition,
      guards: [],
      writes: Object.entries(rows).map(([id, value]) => ({ kind: 'row', view: 'list', id, value })),
    });
    return partition;
  }

  describe('views', () => {
    it('is empty before its first row', async () => {
      const p = freshPartition();
      expect(await subject().store.readRow(p, 'list', 'a')).toBeUndefined();
      expect(await subject().store.readRows(p, 'list')).toEqual(new Map());
    });

    it('puts and replaces rows', async () => {
      const p = await viewWith({ a: '1', b: '1' });
      await viewWith({ b: '2' }, p);
      expect(await subject().store.readRow(p, 'list', 'b')).toBe('2');
      expect(await subject().store.readRows(p, 'list')).toEqual(
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      );
    });

    it('deletes rows, also those that do not exist', async () => {
      const p = await viewWith({ a: '1', b: '1' });
      await viewWith({ b: null, c: null }, p);
      expect(await subject().store.readRows(p, 'list')).toEqual(new Map([['a', '1']]));
    });

    it('takes any text as row id', async () => {
      const ids = ['__proto__', 'constructor', 'with space', 'a{b}*', ''];
      const p = freshPartition();
      await subject().store.commit({
        partition: p,
        guards: [],
        writes: ids.map((id) => ({ kind: 'row', view: 'list', id, value: `row ${id}` })),
      });
      expect(await subject().store.readRows(p, 'list')).toEqual(new Map(ids.map((id) => [id, `row ${id}`])));
    });

    it('gives a copy that later commits leave alone', async () => {
      const p = await viewWith({ a: '1' });
      const rows = await subject().store.readRows(p, 'list');
      await viewWith({ a: '2', b: '2' }, p);
      expect(rows).toEqual(new Map([['a', '1']]));
    });
  });
}
