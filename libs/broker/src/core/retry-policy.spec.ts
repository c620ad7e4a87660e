import fc from 'fast-check';
import { backoff, DEFAULT_RETRY } from './retry-policy.js';

describe('the wait before another attempt', () => {
  const exact = { ...DEFAULT_RETRY, jitter: 0 };

  it('grows by the factor', () => {
    expect([1, 2, 3, 4].map((failed) => backoff(exact, failed, 0.5))).toEqual([100, 200, 400, 800]);
    expect(backoff({ ...exact, factor: 1 }, 9, 0.5)).toBe(100);
  });

  it('has an upper bound, however often it failed', () => {
    expect(backoff(exact, 20, 0)).toBe(30_000);
    expect(backoff(exact, 100_000, 0)).toBe(30_000);
  });

  it('is shortened at random, by no more than the jitter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failed, random) => {
        const full = backoff(exact, failed, 0);
        const wait = backoff(DEFAULT_RETRY, failed, random);
        expect(wait).toBeLessThanOrEqual(full);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full * 0.8));
      }),
    );
  });
});
