import type { AppendWrite, Guard, Partition, TagQuery } from '@millrace/broker';
import { textOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

/** Events as they may be stored: with a type that can be looked for. */
const event = (type: string, n: number) => JSON.stringify({ specversion: '1.0', id: `${n}`, source: '/x', type });

export function describeIndexes(subject: Subject): void {
  function commit(partition: Partition, guards: readonly Guard[], ...writes: readonly Omit<AppendWrite, 'kind'>[]) {
    return subject().store.commit({
      partition,
      guards,
      writes: writes.map((write) => ({ kind: 'append', ...write })),
    });
  }

  async function tagged(p: Partition, tag: string, page = {}) {
    const { entries, next } = await subject().store.readTagged(p, tag, page);
    return { texts: entries.map(textOf), next };
  }

  describe('tags and categories', () => {
    it('gives the events with a tag, in the order of the feed', async () => {
      const p = freshPartition();
      await commit(
        p,
        [],
        { stream: 's-1', events: ['a', 'b', 'c'], tags: [['red', 'big'], [], ['red']] },
        { events: ['d', 'e'], tags: [['big'], ['red', 'red']] },
      );
      await commit(p, [], { events: ['f'], tags: [['red']] });
      expect(await tagged(p, 'red')).toEqual({ texts: ['a', 'c', 'e', 'f'], next: undefined });
      expect(await tagged(p, 'big')).toEqual({ texts: ['a', 'd'], next: undefined });
      expect(await tagged(p, 'none')).toEqual({ texts: [], next: undefined });
      expect((await subject().store.readStream(p, 's-1')).entries.map(textOf)).toEqual(['a', 'b', 'c']);
    });

    it('gives them by pages, in both directions, each going on behind the one before', async () => {
      const p = freshPartition();
      for (let n = 1; n <= 5; n++) await commit(p, [], { events: ['-', `${n}`], tags: [[], ['t']] });
      expect(await tagged(p, 't', { limit: 2 })).toEqual({ texts: ['1', '2'], next: 4 });
      expect(await tagged(p, 't', { limit: 2, after: 4 })).toEqual({ texts: ['3', '4'], next: 8 });
      expect(await tagged(p, 't', { limit: 2, after: 8 })).toEqual({ texts: ['5'], next: undefined });
      expect(await tagged(p, 't', { limit: 2, after: 5 })).toEqual({ texts: ['3', '4'], next: 8 });
      expect(await tagged(p, 't', { limit: 3, backwards: true })).toEqual({ texts: ['5', '4', '3'], next: 6 });
      expect(await tagged(p, 't', { limit: 3, backwards: true, after: 6 })).toEqual({
        texts: ['2', '1'],
        next: undefined,
      });
      expect(await tagged(p, 't', { after: 10 })).toEqual({ texts: [], next: undefined });
      expect(await tagged(p, 't', { backwards: true, after: 2 })).toEqual({ texts: [], next: undefined });
    });

    it('gives the events of all streams of a category, and no others', async () => {
      const p = freshPartition();
      await commit(p, [], { stream: 'cart-1', category: 'cart', events: ['a', 'b'] }, { events: ['x'] });
      await commit(p, [], { stream: 'cart-2', category: 'cart', events: ['c'] }, { stream: 'cart-3', events: ['y'] });
      const { store } = subject();
      const { entries, next } = await store.readCategory(p, 'cart');
      expect(entries.map(({ id, ...entry }) => [id, textOf({ id, ...entry })])).toEqual([
        ['0-1', 'a'],
        ['0-2', 'b'],
        ['0-4', 'c'],
      ]);
      expect(next).toBeUndefined();
      const back = await store.readCategory(p, 'cart', { backwards: true, limit: 2 });
      expect(back).toMatchObject({ entries: [{ id: '0-4' }, { id: '0-2' }], next: 2 });
      expect((await tagged(p, 'cart')).texts).toEqual([]);
    });

    it('indexes thousands of events of one commit', async () => {
      const p = freshPartition();
      const events = Array.from({ length: 3_000 }, (_, i) => `e${i}`);
      const tags = events.map((_, i) => (i % 3 === 0 ? ['third'] : []));
      await commit(p, [], { stream: 'long-1', category: 'long', events, tags });
      const { texts, next } = await tagged(p, 'third', { after: 2_000 });
      expect(texts).toEqual(events.filter((_, i) => i % 3 === 0 && i >= 2_000));
      expect(next).toBeUndefined();
      const { entries } = await subject().store.readCategory(p, 'long', { after: 2_998 });
      expect(entries.map(textOf)).toEqual(['e2998', 'e2999']);
    });
  });

  describe('the guard of tags', () => {
    const guard = (after: number, ...query: TagQuery[]): Guard => ({ kind: 'tags', query, after });
    const ask = async (p: Partition, each: Guard) => {
      const result = await commit(p, [each]);
      return result.status === 'refused' ? result.found : undefined;
    };

    async function course(): Promise<Partition> {
      const p = freshPartition();
      await commit(p, [], {
        events: [event('joined', 1), event('joined', 2), event('left', 3), 'no JSON'],
        tags: [['course:1', 'student:1'], ['course:2', 'student:1'], ['course:1', 'student:2'], ['odd']],
      });
      return p;
    }

    it('refuses when an event after the position has all tags of a query, and names the newest', async () => {
      const p = await course();
      expect(await ask(p, guard(0, { tags: ['course:1'] }))).toBe('3');
      expect(await ask(p, guard(2, { tags: ['course:1'] }))).toBe('3');
      expect(await ask(p, guard(3, { tags: ['course:1'] }))).toBeUndefined();
      expect(await ask(p, guard(0, { tags: ['course:1', 'student:1'] }))).toBe('1');
      expect(await ask(p, guard(1, { tags: ['course:1', 'student:1'] }))).toBeUndefined();
      expect(await ask(p, guard(0, { tags: ['course:2', 'student:2'] }))).toBeUndefined();
      expect(await ask(p, guard(0, { tags: ['nobody'] }, { tags: ['student:1'] }))).toBe('2');
      expect(await ask(p, guard(0))).toBeUndefined();
    });

    it('takes only events of the types that a query names, and those that cannot be read', async () => {
      const p = await course();
      expect(await ask(p, guard(0, { tags: ['course:1'], types: ['joined'] }))).toBe('1');
      expect(await ask(p, guard(1, { tags: ['course:1'], types: ['joined'] }))).toBeUndefined();
      expect(await ask(p, guard(0, { tags: ['course:1'], types: ['moved', 'left'] }))).toBe('3');
      expect(await ask(p, guard(0, { tags: ['odd'], types: ['moved'] }))).toBe('4');
    });

    it('looks through hundreds of events', async () => {
      const p = freshPartition();
      const events = Array.from({ length: 400 }, (_, i) => event(i === 100 ? 'rare' : 'usual', i));
      await commit(p, [], { events, tags: events.map((_, i) => (i === 250 ? ['t', 'u'] : ['t'])) });
      expect(await ask(p, guard(10, { tags: ['t'], types: ['rare'] }))).toBe('101');
      expect(await ask(p, guard(101, { tags: ['t'], types: ['rare'] }))).toBeUndefined();
      expect(await ask(p, guard(0, { tags: ['t', 'u'] }))).toBe('251');
    });

    it('lets one of two decisions through that were made on the same events', async () => {
      const p = freshPartition();
      const decide = (by: string) =>
        commit(p, [guard(0, { tags: ['seat:1'] })], { stream: by, events: [by], tags: [['seat:1']] });
      const results = await Promise.all(['a', 'b', 'c'].map(decide));
      expect(results.filter(({ status }) => status === 'committed')).toHaveLength(1);
      expect((await tagged(p, 'seat:1')).texts).toHaveLength(1);
    });

    it('refuses a position that the feed has not come to, behind which its own events would stand unseen', async () => {
      const p = await course();
      const join = (after: number) => commit(p, [guard(after, { tags: ['new'] })], { events: ['e'], tags: [['new']] });
      for (let tries = 0; tries < 2; tries++) expect(await join(5)).toMatchObject({ guard: 'tags', found: '4' });
      expect(await join(4)).toMatchObject({ status: 'committed' });
      expect(await join(4)).toMatchObject({ guard: 'tags', found: '5' });
      expect(await ask(freshPartition(), guard(1, { tags: ['new'] }))).toBe('0');
    });

    it('refuses to guard against every event', async () => {
      await expect(ask(freshPartition(), guard(0, { tags: [] }))).rejects.toMatchObject({ code: 'configuration' });
    });
  });
}
