import type { Write } from '@millrace/broker';
import { arrivedAt } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

const NOON = 1_800_000_000_000;

export function describeTimers(subject: Subject): void {
  function timers() {
    const partition = freshPartition();
    const write = (...writes: Write[]) => subject().store.commit({ partition, guards: [], writes });
    return {
      set: (id: string, due: number, message = id) => write({ kind: 'timer', id, due, message }),
      cancel: (id: string) => write({ kind: 'cancel-timer', id }),
      fire: (now: number, limit = 100) => subject().store.fireTimers(partition, now, limit),
      arrived: () => arrivedAt(subject(), partition),
    };
  }

  describe('timers', () => {
    it('fires nothing when none is set', async () => {
      expect(await timers().fire(NOON)).toEqual({ fired: 0, next: undefined });
    });

    it('does not fire before it is due, and says when that is', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON);
      expect(await fire(NOON - 1)).toEqual({ fired: 0, next: NOON });
      expect(await arrived()).toEqual([]);
    });

    it('puts its message into the inbox when it is due, once', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON, 'wake up');
      expect(await fire(NOON)).toEqual({ fired: 1, next: undefined });
      expect(await fire(NOON)).toEqual({ fired: 0, next: undefined });
      expect(await arrived()).toEqual(['wake up']);
    });

    it('fires once when many ask at once', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON);
      await Promise.all(Array.from({ length: 20 }, () => fire(NOON)));
      expect(await arrived()).toEqual(['a']);
    });

    it('fires the earliest first', async () => {
      const { set, fire, arrived } = timers();
      await set('third', NOON + 3);
      await set('first', NOON + 1);
      await set('second', NOON + 2);
      expect(await fire(NOON + 9)).toEqual({ fired: 3, next: undefined });
      expect(await arrived()).toEqual(['first', 'second', 'third']);
    });

    it('fires up to the limit and leaves the rest due', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON + 1);
      await set('b', NOON + 2);
      await set('later', NOON + 60_000);
      expect(await fire(NOON + 9, 1)).toEqual({ fired: 1, next: NOON + 2 });
      expect(await fire(NOON + 9, 1)).toEqual({ fired: 1, next: NOON + 60_000 });
      expect(await arrived()).toEqual(['a', 'b']);
    });

    it('is moved when it is set again', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON, 'early');
      await set('a', NOON + 10, 'late');
      expect(await fire(NOON)).toEqual({ fired: 0, next: NOON + 10 });
      await fire(NOON + 10);
      expect(await arrived()).toEqual(['late']);
    });

    it('does not fire when it was cancelled', async () => {
      const { set, cancel, fire, arrived } = timers();
      await set('a', NOON);
      await cancel('a');
      await cancel('never-set');
      expect(await fire(NOON)).toEqual({ fired: 0, next: undefined });
      expect(await arrived()).toEqual([]);
    });
  });
}
