import fc from 'fast-check';
import { entriesOf, orderedText } from './view-index.js';

const compare = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('values of indexes', () => {
  it('keep the order of numbers', () => {
    const number = fc.double({ noNaN: true });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const expected = a < b ? -1 : a > b ? 1 : 0;
        expect(compare(orderedText(a, 'x'), orderedText(b, 'x'))).toBe(expected);
      }),
    );
  });

  it('keep the order of dates and booleans', () => {
    const dates = [new Date(-1), new Date(0), new Date('2026-01-01')].map((date) => orderedText(date, 'x'));
    expect([...dates].sort(compare)).toEqual(dates);
    expect(compare(orderedText(false, 'x'), orderedText(true, 'x'))).toBe(-1);
  });

  it('are one, several or none for a row', () => {
    const indexes = {
      one: (row: { n: number }) => row.n,
      some: () => ['a', 'b'],
      none: () => undefined,
      nothing: () => null,
    };
    expect(entriesOf(indexes, { n: 1 })).toEqual([
      { index: 'one', value: orderedText(1, 'one') },
      { index: 'some', value: 'sa' },
      { index: 'some', value: 'sb' },
    ]);
  });

  it.each([Number.NaN, new Date('never'), { toString: () => 'an object' }])('cannot be %s', (value) => {
    expect(() => entriesOf({ odd: () => value as number }, {})).toThrow("index 'odd' gives");
  });
});
