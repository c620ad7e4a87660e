import fc from 'fast-check';
import { addressOf, parseAddress, partitionOf } from './partition.js';

describe('the partition of a key', () => {
  // Stored data depend on these: a change of one is a loss of messages.
  it.each([
    ['', 1, 5, 453],
    ['a', 0, 12, 300],
    ['foobar', 0, 8, 360],
    ['order-1', 1, 13, 365],
    ['order-2', 0, 4, 180],
    ['9f2c1d7e-1b1a-4c36-9a4e-0d1c2b3a4f5e', 0, 12, 124],
    ['Größe', 2, 10, 634],
    ['🙂', 3, 11, 587],
  ])('of %p is fixed for ever', (key, of4, of16, of1024) => {
    expect([4, 16, 1024].map((partitions) => partitionOf(key, partitions))).toEqual([of4, of16, of1024]);
  });

  it('is one of the partitions', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1024 }), (key, partitions) => {
        const index = partitionOf(key, partitions);
        expect(Number.isInteger(index) && index >= 0 && index < partitions).toBe(true);
      }),
    );
  });

  it('spreads keys evenly', () => {
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < 8_000; i++) counts[partitionOf(`order-${i}`, 8)]!++;
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});

describe('an address', () => {
  it('is read as it was written', () => {
    const partition = { context: 'place-order', index: 12 };
    expect(addressOf(partition)).toBe('place-order/12');
    expect(parseAddress('place-order/12')).toEqual(partition);
  });

  it.each([
    '',
    'order',
    'order/',
    '/1',
    'order/x',
    'order/1/2',
    'order/-1',
    'Order/1',
    'order/12345',
    '{order}/1',
    'order/1\n',
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
