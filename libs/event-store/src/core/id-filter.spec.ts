import { IdFilter } from './id-filter.js';

describe('which ids have been added', () => {
  const ids = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

  it('is known of none before', () => {
    const filter = new IdFilter();
    expect(ids(1_000, 'customer').some((id) => filter.mayHave(id))).toBe(false);
  });

  it('is never denied of one that was, whatever its characters', () => {
    const filter = new IdFilter();
    const added = [...ids(100_000, 'customer'), '', 'ä', '\u{1f600}', 'customer'];
    for (const id of added) filter.add(id);
    expect(added.every((id) => filter.mayHave(id))).toBe(true);
  });

  it('is wrongly said of one in fifty others, of a million', () => {
    const filter = new IdFilter();
    for (const id of ids(1_000_000, 'customer')) filter.add(id);
    const wrong = ids(50_000, 'product').filter((id) => filter.mayHave(id)).length;
    expect(wrong / 50_000).toBeGreaterThan(0.01);
    expect(wrong / 50_000).toBeLessThan(0.03);
  });
});
