import { notPlain } from './plain-json.js';

describe('plain JSON', () => {
  it('comes back as it was', () => {
    const shared = { a: 1 };
    const value = {
      a: [1, 'b', null, true, { c: undefined }],
      d: Object.create(null) as object,
      one: shared,
      two: shared,
    };
    expect(notPlain(value, 'state')).toBeUndefined();
    expect(JSON.parse(JSON.stringify(value))).toEqual({ a: [1, 'b', null, true, {}], d: {}, one: shared, two: shared });
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = { cycle };

  it.each([
    [{ a: { b: new Map() } }, 'state.a.b is a Map'],
    [{ at: new Date(0) }, 'state.at is a Date'],
    [{ list: [1, undefined] }, 'state.list[1] is undefined'],
    [{ n: NaN }, 'state.n is NaN'],
    [{ n: 1n }, 'state.n is a bigint'],
    [{ f: () => 1 }, 'state.f is a function'],
    [{ money: new (class Money {})() }, 'state.money is a Money'],
    [cycle, 'state.self.cycle contains itself'],
    [undefined, 'state is undefined'],
  ])('is not %p', (value, message) => {
    expect(notPlain(value, 'state')).toBe(message);
  });
});
