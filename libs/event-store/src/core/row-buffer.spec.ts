import { RowBuffer } from './row-buffer.js';

describe('the rows of a batch', () => {
  const stored: Record<string, unknown> = { a: { n: 1 } };
  let rows: RowBuffer;
  beforeEach(() => (rows = new RowBuffer(async (id) => stored[id])));

  it('come from the store until they are written', async () => {
    expect(await rows.get('a')).toEqual({ n: 1 });
    expect(await rows.get('b')).toBeUndefined();
    expect(rows.writes('v')).toEqual([]);
  });

  it('are written once each, with their last value', async () => {
    rows.put('b', { n: 0 });
    rows.keep();
    await rows.update('a', (row) => ({ n: (row as { n: number }).n + 1 }));
    await rows.update('b', () => undefined);
    rows.keep();
    rows.put('b', { n: 7 });
    rows.keep();
    expect(rows.writes('v')).toEqual([
      { kind: 'row', view: 'v', id: 'b', value: '{"n":7}' },
      { kind: 'row', view: 'v', id: 'a', value: '{"n":2}' },
    ]);
  });

  it('are changed at once where the store has them at hand', () => {
    const atHand = new RowBuffer((id) => stored[id]);
    void atHand.update('a', (row) => ({ n: (row as { n: number }).n + 1 }));
    void atHand.update('b', (row) => ({ was: row ?? null }));
    atHand.keep();
    expect(atHand.writes('v').map(({ value }) => value)).toEqual(['{"n":2}', '{"was":null}']);
  });

  it('are deleted by a null', () => {
    rows.delete('a');
    rows.keep();
    expect(rows.writes('v')).toEqual([{ kind: 'row', view: 'v', id: 'a', value: null }]);
  });

  it('forget what an event did that failed', async () => {
    rows.put('a', { n: 2 });
    rows.keep();
    rows.put('a', { n: 3 });
    rows.drop();
    expect(await rows.get('a')).toEqual({ n: 2 });
  });

  it('forget each change of an event that failed, and no other', async () => {
    rows.put('b', { n: 1 });
    rows.keep();
    rows.put('b', { n: 2 });
    rows.put('b', { n: 3 });
    rows.delete('a');
    rows.put('c', { n: 4 });
    expect(await rows.get('a')).toBeUndefined();
    rows.drop();
    rows.drop();
    expect([await rows.get('a'), await rows.get('b'), await rows.get('c')]).toEqual([{ n: 1 }, { n: 1 }, undefined]);
    expect(rows.writes('v')).toEqual([{ kind: 'row', view: 'v', id: 'b', value: '{"n":1}' }]);
  });

  it('are copies: changing what was read changes no row', async () => {
    ((await rows.get('a')) as { n: number }).n = 9;
    expect(await rows.get('a')).toEqual({ n: 1 });
  });

  it('are copies: changing what was written changes no row, nor does an event that fails', async () => {
    const row = { n: 2, list: [1] };
    rows.put('b', row);
    rows.keep();
    row.list.push(2);
    await rows.update('b', (found) => {
      (found as typeof row).list.push(3);
      return found;
    });
    rows.drop();
    expect(await rows.get('b')).toEqual({ n: 2, list: [1] });
    expect(stored).toEqual({ a: { n: 1 } });
  });

  it('are read within a batch as they will be when they are stored', async () => {
    rows.put('b', { at: new Date(0), none: undefined });
    expect(await rows.get('b')).toStrictEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('cannot be what JSON cannot hold', () => {
    expect(() => rows.put('b', { big: 1n })).toThrow(TypeError);
  });
});
