import { firing } from '@millrace/broker';
import type { Guard, Source, TimerWrite, Write } from '@millrace/broker';
import { arrivedAt, textOf } from './entries.js';
import { fireTimers } from './fire-timers.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

const NOON = 1_800_000_000_000;

export function describeTimers(subject: Subject): void {
  function timers(partition = freshPartition()) {
    const commit = (guards: Guard[], writes: Write[]) => subject().store.commit({ partition, guards, writes });
    return {
      partition,
      commit,
      set: (id: string, due: number, more: Partial<TimerWrite> = {}) =>
        commit([], [{ kind: 'timer', id, due, message: id, ...more }]),
      cancel: (id: string) => commit([], [{ kind: 'cancel-timer', id }]),
      due: (now: number, limit = 100) => subject().store.dueTimers([partition], now, limit),
      fire: (now: number, limit = 100) => fireTimers(subject().store, partition, now, limit),
      arrived: () => arrivedAt(subject(), partition),
    };
  }

  describe('timers', () => {
    it('are not due when none is set', async () => {
      expect(await timers().due(NOON)).toEqual({ due: [], next: undefined });
      expect(await subject().store.dueTimers([], NOON, 10)).toEqual({ due: [], next: undefined });
    });

    it('are not due before their time, and tell when that is', async () => {
      const { set, due } = timers();
      await set('a', NOON);
      expect(await due(NOON - 1)).toEqual({ due: [], next: NOON });
    });

    it('are due with their message, and go on being due until they are fired', async () => {
      const { set, due, partition } = timers();
      await set('a', NOON, { message: 'wake up' });
      const inbox: Source = { partition, log: 'in' };
      const a = { partition, id: 'a', due: NOON, message: 'wake up', to: inbox, note: undefined };
      expect(await due(NOON)).toEqual({ due: [a], next: undefined });
      expect(await due(NOON)).toEqual({ due: [a], next: undefined });
    });

    it('put their message into the inbox, once', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON, { message: 'wake up' });
      expect(await fire(NOON)).toEqual({ fired: 1, next: undefined });
      expect(await fire(NOON)).toEqual({ fired: 0, next: undefined });
      expect(await arrived()).toEqual(['wake up']);
    });

    it('fire once when many have seen them due', async () => {
      const { set, due, arrived } = timers();
      await set('a', NOON);
      const seen = await Promise.all(Array.from({ length: 20 }, () => due(NOON)));
      const results = await Promise.all(
        seen.flatMap(({ due: each }) => each.map((timer) => subject().store.commit(firing(timer, NOON)))),
      );
      expect(results.filter(({ status }) => status === 'committed')).toHaveLength(1);
      expect(results).toContainEqual({ status: 'refused', guard: 'timer', found: 'unset' });
      expect(await arrived()).toEqual(['a']);
    });

    it('are due the earliest first, those of one time by id', async () => {
      const { set, due } = timers();
      await set('third', NOON + 3);
      await set('first', NOON + 1);
      await set('second-b', NOON + 2);
      await set('second-a', NOON + 2);
      const { due: all } = await due(NOON + 9);
      expect(all.map(({ id }) => id)).toEqual(['first', 'second-a', 'second-b', 'third']);
    });

    it('are due page by page, each behind the one before, which may be gone', async () => {
      const { set, cancel, partition } = timers();
      const ids = ['a', 'b', 'c', 'd-1', 'd-2', 'e'];
      for (const id of [...ids].reverse()) await set(id, NOON);
      await set('later', NOON + 1);
      await set('z-earlier', NOON - 1);
      const behind = async (id: string, due = NOON, limit = 2) => {
        const { due: found, next } = await subject().store.dueTimers([partition], NOON, limit, { due, id });
        return [found.map((timer) => timer.id), next];
      };

      expect(await behind('0', 0)).toEqual([['z-earlier', 'a'], NOON]);
      expect(await behind('a')).toEqual([['b', 'c'], NOON]);
      await cancel('c');
      await set('d-1', NOON + 5);
      expect(await behind('c')).toEqual([['d-2', 'e'], NOON + 1]);
      expect(await behind('d-1')).toEqual([['d-2', 'e'], NOON + 1]);
      expect(await behind('e')).toEqual([[], NOON + 1]);
      expect(await behind('later', NOON + 1)).toEqual([[], NOON + 5]);
      expect(await behind('x', NOON + 9)).toEqual([[], undefined]);
    });

    it('are due up to a limit, and the next one is the first left over', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON + 1);
      await set('b', NOON + 2);
      await set('later', NOON + 60_000);
      expect(await fire(NOON + 9, 1)).toEqual({ fired: 1, next: NOON + 2 });
      expect(await fire(NOON + 9, 1)).toEqual({ fired: 1, next: NOON + 60_000 });
      expect(await arrived()).toEqual(['a', 'b']);
    });

    it('of several partitions are seen with one look', async () => {
      const [one, two, three] = [timers(), timers(), timers()];
      await one.set('a', NOON);
      await two.set('b', NOON + 5);
      await two.set('c', NOON - 5);
      const partitions = [one.partition, two.partition, three.partition];
      const { due, next } = await subject().store.dueTimers(partitions, NOON, 10);
      expect(due.map(({ id, partition }) => [id, partition])).toEqual([
        ['a', one.partition],
        ['c', two.partition],
      ]);
      expect(next).toBe(NOON + 5);
    });

    it('are moved when they are set again', async () => {
      const { set, fire, arrived } = timers();
      await set('a', NOON, { message: 'early' });
      await set('a', NOON + 10, { message: 'late' });
      expect(await fire(NOON)).toEqual({ fired: 0, next: NOON + 10 });
      await fire(NOON + 10);
      expect(await arrived()).toEqual(['late']);
    });

    it('do not fire when they were cancelled', async () => {
      const { set, cancel, fire, arrived } = timers();
      await set('a', NOON);
      await cancel('a');
      await cancel('never-set');
      expect(await fire(NOON)).toEqual({ fired: 0, next: undefined });
      expect(await arrived()).toEqual([]);
    });

    it('reach the inbox and the feed of other partitions', async () => {
      const { set, fire, arrived } = timers();
      const other = timers();
      await set('command', NOON, { to: { partition: other.partition, log: 'in' } });
      await set('event', NOON, { to: feedOf(other.partition) });
      expect(await fire(NOON)).toEqual({ fired: 2, next: undefined });
      expect(await arrived()).toEqual([]);
      expect(await other.arrived()).toEqual(['command']);
      const [event] = await subject().store.readFeed(other.partition, 0, 10);
      expect([event!.id, textOf(event!)]).toEqual(['0-1', 'event']);
    });

    it('forget their target and note when they are set again without', async () => {
      const { set, partition } = timers();
      await set('a', NOON, { to: feedOf(partition), note: 'weekly' });
      expect(await subject().store.readTimer(partition, 'a')).toMatchObject({ to: feedOf(partition), note: 'weekly' });
      await set('a', NOON);
      const inbox: Source = { partition, log: 'in' };
      expect(await subject().store.readTimer(partition, 'a')).toMatchObject({ to: inbox, note: undefined });
    });

    it('are set and cancelled in another partition by the same commit', async () => {
      const { set, fire, commit } = timers();
      const other = timers();
      await set('here', NOON);
      await other.set('there', NOON);
      await commit(
        [{ kind: 'timer', id: 'there', due: NOON, partition: other.partition }],
        [
          { kind: 'cancel-timer', id: 'here' },
          { kind: 'cancel-timer', id: 'there', partition: other.partition },
          { kind: 'timer', id: 'new', due: NOON, message: 'new', partition: other.partition },
        ],
      );
      expect(await fire(NOON)).toEqual({ fired: 0, next: undefined });
      expect(await other.fire(NOON)).toEqual({ fired: 1, next: undefined });
      expect(await other.arrived()).toEqual(['new']);
    });

    it('guard a commit by when they are due', async () => {
      const { set, commit } = timers();
      const guard = (due: number | null): Guard => ({ kind: 'timer', id: 'a', due });
      expect(await commit([guard(NOON)], [])).toEqual({ status: 'refused', guard: 'timer', found: 'unset' });
      expect(await commit([guard(null)], [])).toMatchObject({ status: 'committed' });
      await set('a', NOON);
      expect(await commit([guard(NOON)], [])).toMatchObject({ status: 'committed' });
      expect(await commit([guard(null)], [])).toEqual({ status: 'refused', guard: 'timer', found: `${NOON}` });
      expect(await commit([guard(NOON + 1)], [])).toEqual({ status: 'refused', guard: 'timer', found: `${NOON}` });
    });

    it('are read one by one', async () => {
      const { set, partition } = timers();
      await set('a', NOON, { message: 'm', note: 'n' });
      const { store } = subject();
      const inbox: Source = { partition, log: 'in' };
      expect(await store.readTimer(partition, 'a')).toEqual({
        ...{ partition, id: 'a', due: NOON, message: 'm', to: inbox, note: 'n' },
      });
      expect(await store.readTimer(partition, 'b')).toBeUndefined();
    });

    it('are listed by prefix, page by page', async () => {
      const { partition, commit } = timers();
      const ids = Array.from({ length: 300 }, (_, n) => `${n % 3 === 0 ? 'fizz' : 'other'}:${n}`);
      await commit(
        [],
        ids.map((id): Write => ({ kind: 'timer', id, due: NOON, message: id.repeat(10) })),
      );
      const { store } = subject();
      const found: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await store.listTimers(partition, {
          ...{ prefix: 'fizz:', limit: 20 },
          ...(cursor === undefined ? {} : { cursor }),
        });
        found.push(...page.timers.map(({ id, message }) => (message === id.repeat(10) ? id : message)));
        cursor = page.cursor;
        pages++;
      } while (cursor !== undefined);
      expect(new Set(found)).toEqual(new Set(ids.filter((id) => id.startsWith('fizz:'))));
      expect(pages).toBeGreaterThan(1);
      const { timers: none } = await store.listTimers(freshPartition(), { prefix: '', limit: 20 });
      expect(none).toEqual([]);
    });
  });
}
