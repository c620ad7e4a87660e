import { envelope, Event } from '@millrace/messages';
import fc from 'fast-check';
import { pipeline } from './pipeline.js';
import { chainProblems } from './version-chains.js';
import { downcast, upcast } from './versions.js';

@Event('order.placed', { version: 4 })
class OrderPlaced {}

@Event('order.shipped', { version: 2 })
class OrderShipped {}

const up = (from: number, to: number, more = {}) =>
  upcast(OrderPlaced, { from, to, ...more }, ({ way }: { way?: string }) => ({ way: `${way ?? from}${to}` }));
const down = (from: number, to: number) => downcast(OrderPlaced, { from, to }, (data) => data);
const stored = (schemaversion: number) => envelope({ source: '/x', type: 'order.placed', schemaversion, data: {} });

describe('a chain of upcasts', () => {
  it('leads from every older version to the current one', () => {
    const chain = pipeline([up(1, 2), up(2, 3), up(3, 4)]);
    expect(chain(stored(1))).toMatchObject({ schemaversion: 4, data: { way: '1234' } });
    expect(chain(stored(3))).toMatchObject({ schemaversion: 4, data: { way: '34' } });
  });

  it('has nothing wrong with it when it is whole, steps over versions, or says which version is the oldest', () => {
    expect(chainProblems([up(1, 2), up(2, 3), up(3, 4)])).toEqual([]);
    expect(chainProblems([up(1, 4), up(2, 4), up(3, 4)])).toEqual([]);
    expect(chainProblems([up(2, 3, { oldest: true }), up(3, 4)])).toEqual([]);
    expect(chainProblems([])).toEqual([]);
  });

  it('has a gap where a version leads nowhere', () => {
    expect(chainProblems([up(1, 2), up(3, 4)])).toEqual([
      'order.placed has no upcast from version 2, OrderPlaced declares 4: add upcast(OrderPlaced, { from: 2, to: 3 }, ...)',
    ]);
    expect(chainProblems([up(2, 3), up(3, 4)])).toEqual([
      expect.stringMatching(/no upcast from version 1.*or oldest: true to the first one/),
    ]);
    expect(chainProblems([up(1, 2), up(2, 3)])).toEqual([expect.stringContaining('no upcast from version 3')]);
  });

  it('leads to the version that the contract has, no further', () => {
    expect(chainProblems([up(1, 2), up(2, 3), up(3, 5)])).toEqual([
      "'upcast order.placed 3 -> 5' leads to version 5, OrderPlaced declares 4: raise it",
    ]);
  });

  it('has one way from each version', () => {
    expect(chainProblems([up(1, 2), up(1, 3), up(2, 3), up(3, 4)])).toEqual([
      expect.stringContaining('two upcasts take version 1 of order.placed'),
    ]);
  });

  it('is in the order of versions, since each transform is applied once', () => {
    expect(chainProblems([up(2, 3), up(1, 2), up(3, 4)])).toEqual([
      "'upcast order.placed 1 -> 2' gives what 'upcast order.placed 2 -> 3' takes: declare it before that",
    ]);
  });

  it('cannot go back, so it has no cycle', () => {
    expect(() => up(3, 2)).toThrow("leads from version 3 to 2: 'to' must be later, else it is a cycle");
    expect(() => up(2, 2)).toThrow('cycle');
    expect(() => up(0, 2)).toThrow('names version 0');
  });

  it('is whole exactly when every version before the current one has a step', () => {
    const versions = [1, 2, 3];
    fc.assert(
      fc.property(fc.subarray(versions), (from) => {
        const chain = from.map((version) => up(version, version + 1));
        expect(chainProblems(chain).length).toBe(from.length === 0 ? 0 : versions.length - from.length);
      }),
    );
  });

  it('is looked at for each contract', () => {
    const other = upcast(OrderShipped, { from: 1, to: 2 }, (data) => data);
    expect(chainProblems([up(1, 4), other])).toHaveLength(2);
  });
});

describe('downcasts', () => {
  it('lead from the current version to an older one', () => {
    expect(pipeline([down(4, 3), down(3, 1)])(stored(4))).not.toHaveProperty('schemaversion');
    expect(chainProblems([down(4, 3), down(3, 1)])).toEqual([]);
  });

  it('begin at the current version, without a gap or a cycle', () => {
    expect(chainProblems([down(3, 2)])).toEqual([expect.stringContaining('takes a version that is never reached')]);
    expect(chainProblems([down(4, 3), down(2, 1)])).toHaveLength(1);
    expect(chainProblems([down(4, 3), down(4, 2)])).toEqual([expect.stringContaining('two downcasts take version 4')]);
    expect(() => down(2, 3)).toThrow("'to' must be earlier");
  });
});
