import type { Broker } from '@millrace/broker';
import { KnownRows } from './known-rows.js';
import { PersonalRows } from './personal-rows.js';
import { RowBuffer } from './row-buffer.js';

describe('the rows that are known', () => {
  let asked: string[];
  let known: KnownRows;
  beforeEach(() => {
    asked = [];
    known = new KnownRows('v', new PersonalRows({} as Broker, undefined), async (id) => {
      asked.push(id);
      return id === 'a' ? '{"n":1}' : undefined;
    });
  });

  /** What a commit does that writes these. */
  function commit(rows: Record<string, unknown>): void {
    const buffer = new RowBuffer(known.get);
    for (const [id, row] of Object.entries(rows)) buffer.put(id, row);
    buffer.keep();
    known.learn(buffer.changes, buffer.writes('v'));
  }

  it('are asked for once, also those that are not there', async () => {
    for (let i = 0; i < 2; i++) expect([await known.get('a'), await known.get('b')]).toEqual([{ n: 1 }, undefined]);
    expect(asked).toEqual(['a', 'b']);
  });

  it('are those that were written', async () => {
    await known.get('a');
    commit({ a: { n: 2 }, c: { n: 3 } });
    expect([known.get('a'), known.get('c')]).toEqual([{ n: 2 }, { n: 3 }]);
    expect(asked).toEqual(['a']);
  });

  it('are all there are, of a build that begins', () => {
    known.forget(true);
    commit({ c: { n: 3 } });
    expect([known.get('a'), known.get('c')]).toEqual([undefined, { n: 3 }]);
    expect(asked).toEqual([]);
  });

  it('are asked for again when somebody else may have written them', async () => {
    commit({ a: { n: 7 } });
    known.forget();
    expect(await known.get('a')).toEqual({ n: 1 });
  });

  /** As many as stay in memory. */
  function commitMany(prefix: string): void {
    commit(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`${prefix}-${n}`, n])));
  }

  it('are not too many, and none that had to go is taken for missing', async () => {
    known.forget(true);
    commit({ a: { n: 7 } });
    commitMany('row');
    expect(await known.get('a')).toEqual({ n: 1 });
    expect(asked).toEqual(['a']);
  });

  it('are asked for, of a build that begins, only if they may have had to go', () => {
    known.forget(true);
    commitMany('row');
    commitMany('other');
    const never = Array.from({ length: 100 }, (_, n) => known.get(`never-${n}`));
    expect(never.filter((row) => row === undefined).length).toBeGreaterThan(95);
    expect(asked.length).toBeLessThan(5);
  });

  it('stay as long as they are used', () => {
    known.forget(true);
    commit({ c: { n: 3 } });
    for (let i = 0; i < 4; i++) {
      commit(Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`row-${i}-${n}`, n])));
      expect(known.get('c')).toEqual({ n: 3 });
    }
    expect(asked).toEqual([]);
  });

  it('that were deleted are missing, also when they had to go', async () => {
    known.forget(true);
    commit({ b: { n: 7 } });
    const buffer = new RowBuffer(known.get);
    buffer.delete('b');
    buffer.keep();
    known.learn(buffer.changes, buffer.writes('v'));
    commitMany('row');
    expect(await known.get('b')).toBeUndefined();
  });
});
