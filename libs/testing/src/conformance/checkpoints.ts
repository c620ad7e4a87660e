import type { Guard, Write } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeCheckpoints(subject: Subject): void {
  const append = (count: number): Write => ({ kind: 'append', events: Array.from({ length: count }, () => 'e') });
  const reached: Guard = { kind: 'reached', state: 'c' };
  const advance: Write = { kind: 'advance', state: 'c' };

  function inFreshPartition() {
    const partition = freshPartition();
    const { store } = subject();
    return {
      commit: (guards: readonly Guard[], ...writes: readonly Write[]) => store.commit({ partition, guards, writes }),
      checkpoint: async () => {
        const state = await store.readState(partition, 'c');
        return state && { ...state, value: JSON.parse(state.value) as unknown };
      },
    };
  }

  describe('checkpoints', () => {
    it('move to the end of the feed, behind the appends of their commit, wherever these stand', async () => {
      const { commit, checkpoint } = inFreshPartition();
      await commit([reached], advance, append(3));
      expect(await checkpoint()).toEqual({ revision: 1, value: { position: 3 } });
      await commit([reached], append(1), { kind: 'append', stream: 's', events: ['e'] }, advance);
      expect(await checkpoint()).toEqual({ revision: 2, value: { position: 5 } });
    });

    it('keep what else they hold', async () => {
      const { commit, checkpoint } = inFreshPartition();
      const value = JSON.stringify({ position: 0, replayTo: 12_345_678, parked: 2 });
      await commit([], { kind: 'put', state: 'c', value });
      await commit([reached], append(2), advance);
      expect(await checkpoint()).toEqual({ revision: 2, value: { position: 2, replayTo: 12_345_678, parked: 2 } });
    });

    it('keep of the last event what is said of it, and nothing of one that was there before', async () => {
      const { commit, checkpoint } = inFreshPartition();
      await commit([reached], append(1), { ...advance, last: 'digest' });
      expect(await checkpoint()).toEqual({ revision: 1, value: { position: 1, last: 'digest' } });
      await commit([reached], append(1), advance);
      expect(await checkpoint()).toEqual({ revision: 2, value: { position: 2 } });
    });

    it('that are behind the feed refuse, and nothing is written', async () => {
      const { commit, checkpoint } = inFreshPartition();
      await commit([], append(2));
      expect(await commit([reached], append(1), advance)).toEqual({ status: 'refused', guard: 'reached', found: '0' });
      await commit([], { kind: 'put', state: 'c', value: '{"position":1}' });
      expect(await commit([reached], append(1))).toMatchObject({ status: 'refused', found: '1' });
      await commit([], { kind: 'put', state: 'c', value: '{"position":2}' });
      expect(await commit([reached], append(1), advance)).toMatchObject({ status: 'committed' });
      expect(await checkpoint()).toMatchObject({ revision: 3, value: { position: 3 } });
    });
  });

  describe('a guarded row', () => {
    const is = (expected: string | null): Guard => ({ kind: 'row', view: 'v', id: 'r', expected });
    const put = (value: string | null): Write => ({ kind: 'row', view: 'v', id: 'r', value });

    it('is exactly what is expected, or not there', async () => {
      const { commit } = inFreshPartition();
      expect(await commit([is('1')], put('2'))).toEqual({ status: 'refused', guard: 'row', found: '' });
      expect(await commit([is(null)], put('1'))).toMatchObject({ status: 'committed' });
      expect(await commit([is(null)], put('2'))).toEqual({ status: 'refused', guard: 'row', found: '1' });
      expect(await commit([is('1')], put(null))).toMatchObject({ status: 'committed' });
      expect(await commit([is(null)], put(''))).toMatchObject({ status: 'committed' });
      expect(await commit([is(null)])).toMatchObject({ status: 'refused', guard: 'row' });
      expect(await commit([is('')])).toMatchObject({ status: 'committed' });
    });
  });
}
