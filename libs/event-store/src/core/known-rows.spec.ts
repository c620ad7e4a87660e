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

  it('are not too many, and none that was forgotten is taken for missing', async () => {
    known.forget(true);
    const many = Array.from({ length: 5_001 }, (_, n): [string, number] => [`row-${n}`, n]);
    commit(Object.fromEntries(many));
    expect(await known.get('a')).toEqual({ n: 1 });
    expect(asked).toEqual(['a']);
  });
});
