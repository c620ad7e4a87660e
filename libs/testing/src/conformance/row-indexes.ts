import type { Partition, RowQuery, RowRange, Write } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeRowIndexes(subject: Subject): void {
  const row = (id: string, values: Readonly<Record<string, string | readonly string[]>>): Write => ({
    kind: 'row',
    view: 'v',
    id,
    value: JSON.stringify(values),
    entries: Object.entries(values).flatMap(([index, under]) => [under].flat().map((value) => ({ index, value }))),
  });
  const write = (partition: Partition, ...writes: Write[]) => subject().store.commit({ partition, guards: [], writes });
  const listed = (partition: Partition, query: Omit<RowQuery, 'limit'> & { readonly limit?: number }) =>
    subject().store.listRows(partition, 'v', { limit: 100, ...query });
  const ids = async (partition: Partition, query: Parameters<typeof listed>[1]) =>
    (await listed(partition, query)).map(({ id }) => id);

  describe('indexes of views', () => {
    it('list rows by value and then by id, with value and row', async () => {
      const p = freshPartition();
      await write(p, row('b', { colour: 'red' }), row('c', { colour: 'blue' }), row('a', { colour: 'red' }));
      expect(await listed(p, { index: 'colour' })).toEqual([
        { id: 'c', value: 'blue', row: '{"colour":"blue"}' },
        { id: 'a', value: 'red', row: '{"colour":"red"}' },
        { id: 'b', value: 'red', row: '{"colour":"red"}' },
      ]);
      expect(await ids(p, { index: 'colour', backwards: true })).toEqual(['b', 'a', 'c']);
      expect(await ids(p, { index: 'size' })).toEqual([]);
      expect(await ids(freshPartition(), { index: 'colour' })).toEqual([]);
    });

    it('list a range, both ends included, and one value without those that begin with it', async () => {
      const p = freshPartition();
      await write(p, ...['', 'a', 'aa', 'a\0', 'a\x01', 'b', 'c'].map((value) => row(`id of ${value}`, { x: value })));
      const values = async (query: Omit<RowQuery, 'limit' | 'index'>) =>
        (await listed(p, { index: 'x', ...query })).map(({ value }) => value);
      expect(await values({ from: 'a', to: 'a' })).toEqual(['a']);
      expect(await values({ from: 'a', to: 'b' })).toEqual(['a', 'a\0', 'a\x01', 'aa', 'b']);
      expect(await values({ from: 'aa' })).toEqual(['aa', 'b', 'c']);
      expect(await values({ to: 'a', backwards: true })).toEqual(['a', '']);
      expect(await values({ from: 'c', to: 'a' })).toEqual([]);
    });

    it('count the rows of a range, an index, or a value, and none of others', async () => {
      const p = freshPartition();
      await write(p, ...['a', 'a\0', 'aa', 'b', 'b'].map((value, i) => row(`r${i}`, { x: value, y: 'z' })));
      const count = (range: RowRange) => subject().store.countRows(p, 'v', range);
      expect(await count({ index: 'x' })).toBe(5);
      expect(await count({ index: 'x', from: 'a', to: 'aa' })).toBe(3);
      expect(await count({ index: 'x', from: 'b', to: 'b' })).toBe(2);
      expect(await count({ index: 'x', from: 'b', to: 'a' })).toBe(0);
      expect(await count({ index: 'none' })).toBe(0);
      expect(await subject().store.countRows(freshPartition(), 'v', { index: 'x' })).toBe(0);
    });

    it('keep the entries of a row that a change leaves alone, and move only the others', async () => {
      const p = freshPartition();
      await write(p, row('a', { x: '1', y: ['1', '2'] }));
      await write(p, row('a', { x: '1', y: ['2', '3'] }));
      expect((await listed(p, { index: 'y' })).map(({ value }) => value)).toEqual(['2', '3']);
      expect(await ids(p, { index: 'x' })).toEqual(['a']);
      await write(p, { kind: 'row', view: 'v', id: 'a', value: null, entries: [] });
      expect([await ids(p, { index: 'x' }), await ids(p, { index: 'y' })]).toEqual([[], []]);
    });

    it('order values by their bytes in UTF-8', async () => {
      const p = freshPartition();
      const values = ['Z', 'a', 'ä', '\uffee', '🙂'];
      await write(p, ...values.map((value) => row(value, { x: value })).reverse());
      expect(await ids(p, { index: 'x' })).toEqual(values);
    });

    it.each([false, true])('are read page by page without gap or repetition (backwards: %s)', async (backwards) => {
      const p = freshPartition();
      const all = Array.from({ length: 25 }, (_, i) => row(`r${i}`, { x: `v${i % 3}` }));
      await write(p, ...all);
      const read: string[] = [];
      let pages = 0;
      for (let after: RowQuery['after']; ; pages++) {
        const page = await listed(p, { index: 'x', limit: 4, backwards, ...(after ? { after } : {}) });
        if (page.length === 0) break;
        read.push(...page.map(({ id }) => id));
        after = page.at(-1)!;
      }
      const whole = await ids(p, { index: 'x', backwards });
      expect(read).toEqual(whole);
      expect([whole.length, pages]).toEqual([25, 7]);
    });

    it('follow a row that changes, also one that was indexed otherwise before', async () => {
      const p = freshPartition();
      await write(p, row('a', { x: '1', y: '1' }), row('b', { x: '1' }));
      await write(p, row('a', { x: '2', z: '1' }));
      expect(await ids(p, { index: 'x' })).toEqual(['b', 'a']);
      expect(await ids(p, { index: 'y' })).toEqual([]);
      expect(await ids(p, { index: 'z' })).toEqual(['a']);
      await write(p, row('a', {}));
      expect(await ids(p, { index: 'x' })).toEqual(['b']);
      expect(await subject().store.readRow(p, 'v', 'a')).toBe('{}');
    });

    it('forget a row that is deleted, and list it again when it comes back', async () => {
      const p = freshPartition();
      await write(p, row('a', { x: '1' }));
      const gone: Write = { kind: 'row', view: 'v', id: 'a', value: null, entries: [] };
      await write(p, gone, gone);
      expect(await ids(p, { index: 'x' })).toEqual([]);
      await write(p, row('a', { x: '2' }));
      expect(await ids(p, { index: 'x' })).toEqual(['a']);
    });

    it('list a row under several values, under each once', async () => {
      const p = freshPartition();
      await write(p, row('a', { tag: ['new', 'cheap', 'new'] }), row('b', { tag: ['new'] }));
      expect(await ids(p, { index: 'tag' })).toEqual(['a', 'a', 'b']);
      expect(await ids(p, { index: 'tag', from: 'new', to: 'new' })).toEqual(['a', 'b']);
    });

    it('take any text as value and row id', async () => {
      const p = freshPartition();
      const texts = ['', ' ', '\0', '\0\x01\0', 'a\0b', '{x}*[y]', '__proto__', 'grüße 🙂', '\r\n'];
      await write(p, ...texts.map((text) => row(text, { x: text })));
      for (const text of texts) {
        expect(await listed(p, { index: 'x', from: text, to: text })).toMatchObject([{ id: text, value: text }]);
      }
    });

    it('change in their order within one commit, or not at all', async () => {
      const p = freshPartition();
      await write(p, row('a', { x: '1' }), row('a', { x: '2' }));
      expect(await listed(p, { index: 'x' })).toMatchObject([{ id: 'a', value: '2' }]);
      const refused = { kind: 'revision', state: 's', expected: 7 } as const;
      await subject().store.commit({ partition: p, guards: [refused], writes: [row('a', { x: '3' })] });
      expect(await listed(p, { index: 'x' })).toMatchObject([{ id: 'a', value: '2' }]);
    });

    it('list what has no row where it is said to be, and nowhere else', async () => {
      const p = freshPartition();
      const list = (remove: readonly string[], add: readonly string[]): Write => {
        const under = (values: readonly string[]) => values.map((value) => ({ index: 'x', value }));
        return { kind: 'list', view: 'v', id: 'a', remove: under(remove), add: under(add) };
      };
      await write(p, list([], ['1', '2']));
      expect(await listed(p, { index: 'x' })).toEqual([
        { id: 'a', value: '1', row: '' },
        { id: 'a', value: '2', row: '' },
      ]);
      await write(p, list(['1', 'never'], ['3', '3', '2']));
      expect((await listed(p, { index: 'x' })).map(({ value }) => value)).toEqual(['2', '3']);
      await write(p, list(['2'], ['2']), list([], []));
      expect(await subject().store.countRows(p, 'v', { index: 'x' })).toBe(2);
      await write(p, list(['2', '3'], []));
      expect(await ids(p, { index: 'x' })).toEqual([]);
      expect((await subject().store.readRows(p, 'v')).size).toBe(0);
    });

    it('go with their view when that is dropped', async () => {
      const p = freshPartition();
      await write(p, row('a', { x: '1' }));
      await write(p, { kind: 'drop-view', view: 'v' }, row('b', { x: '1' }), { kind: 'drop-view', view: 'w' });
      expect(await ids(p, { index: 'x' })).toEqual(['b']);
      expect((await subject().store.readRows(p, 'v')).size).toBe(1);
    });

    it.each([0, -1, 1.5, Number.NaN])('refuse a limit of %s', async (limit) => {
      await expect(listed(freshPartition(), { index: 'x', limit })).rejects.toMatchObject({ code: 'configuration' });
    });
  });
}
