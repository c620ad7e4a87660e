import { jsonCopy } from './json-copy.js';

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

class Point {
  readonly x = 1;
  readonly hidden = undefined;
}

describe('a copy by the rules of JSON', () => {
  const nested = { a: [1, { b: 'c' }, null, true], empty: {}, none: undefined };
  const deep = Array.from({ length: 200 }).reduce<unknown>((inside) => ({ inside }), 'bottom');

  it.each<[string, unknown]>([
    ['plain values', nested],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['a Date', { at: new Date(0) }],
    ['an instance of a class', { point: new Point() }],
    ['a Map', { map: new Map([[1, 2]]) }],
    ['numbers that JSON does not know', [NaN, Infinity, -0]],
    ['nothing in an array', [undefined, () => 1, Symbol('s')]],
    ['a hole in an array', Object.assign([], { length: 2 })],
    ['functions and symbols', { call: () => 1, symbol: Symbol('s'), kept: 1 }],
    ['what writes itself', { toJSON: () => 'itself' }],
    ['objects around primitives', { number: Object(1) as unknown, text: Object('a') as unknown }],
    ['an own __proto__', JSON.parse('{"__proto__":{"a":1},"b":2}')],
    ['what is deeper than a stack of calls should be', deep],
    ['a text', 'text'],
  ])('holds %s as JSON gives it back', (_what, value) => {
    const copy = jsonCopy(value);
    expect(copy).toStrictEqual(throughJson(value));
    expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  });

  it('keeps a zero without its sign', () => {
    expect(Object.is(jsonCopy(-0), 0)).toBe(true);
  });

  it('shares nothing with what it was made of', () => {
    const copy = jsonCopy(nested) as typeof nested;
    (copy.a[1] as { b: string }).b = 'changed';
    copy.a.push(2);
    expect(nested.a).toEqual([1, { b: 'c' }, null, true]);
  });

  it('is not there for what JSON leaves out', () => {
    expect(jsonCopy(undefined)).toBeUndefined();
    expect(jsonCopy(() => 1)).toBeUndefined();
  });

  it('fails for what JSON cannot hold', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => jsonCopy(cycle)).toThrow(TypeError);
    expect(() => jsonCopy({ big: 1n })).toThrow(TypeError);
  });
});
