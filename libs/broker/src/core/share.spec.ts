import fc from 'fast-check';
import { quota } from './share.js';

const quotas = (partitions: number, members: readonly string[], turn = 0): number[] =>
  members.map((member) => quota(partitions, members, member, turn));

describe('the share of a member', () => {
  it('is everything for one, and something for each of three with four partitions', () => {
    expect(quotas(4, ['a'])).toEqual([4]);
    expect(quotas(4, ['a', 'b'])).toEqual([2, 2]);
    expect(quotas(4, ['a', 'b', 'c'])).toEqual([2, 1, 1]);
    expect(quotas(4, ['a', 'b', 'c', 'd', 'e'])).toEqual([1, 1, 1, 1, 0]);
  });

  it('gives one more to another member for another context', () => {
    expect([0, 1, 2, 3].map((turn) => quotas(1, ['a', 'b', 'c'], turn).indexOf(1))).toEqual([0, 2, 1, 0]);
  });

  it('makes up all partitions, and differs by one at most', () => {
    const members = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 20 }).map((names) => names.sort());
    fc.assert(
      fc.property(fc.nat(1024), members, fc.nat(), (partitions, names, turn) => {
        const shares = quotas(partitions, names, turn);
        expect(shares.reduce((sum, share) => sum + share)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
