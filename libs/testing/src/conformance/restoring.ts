import type { EventIndex, Partition } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeRestoring(subject: Subject): void {
  const stream = (name: string): EventIndex => ({ kind: 'stream', name });
  const indexes = async (p: Partition, limit = 100, after?: EventIndex) =>
    (await subject().store.listIndexes(p, limit, after)).map(({ kind, name }) => `${kind} ${name}`);

  describe('copies of a partition', () => {
    it('lists the streams, tags and categories, in order and by pages', async () => {
      const p = freshPartition();
      const other = { ...p, index: 1 };
      const { store } = subject();
      await store.commit({
        partition: p,
        guards: [],
        writes: [
          { kind: 'append', stream: 'b-1', category: 'b', events: ['1'], tags: [['red', 'blue']] },
          { kind: 'append', stream: 'B-2', category: 'b', events: ['2'] },
          { kind: 'append', stream: 'a-1', events: ['3'] },
        ],
      });
      await store.commit({ partition: other, guards: [], writes: [{ kind: 'append', stream: 'z', events: ['1'] }] });
      const all = ['stream B-2', 'stream a-1', 'stream b-1', 'tag blue', 'tag red', 'category b'];
      expect(await indexes(p)).toEqual(all);
      expect(await indexes(p, 2)).toEqual(all.slice(0, 2));
      expect(await indexes(p, 3, stream('a-1'))).toEqual(all.slice(2, 5));
      expect(await indexes(p, 3, { kind: 'tag', name: 'red' })).toEqual(['category b']);
      expect(await indexes(freshPartition())).toEqual([]);
    });

    it('reads the positions of an index by pages', async () => {
      const p = freshPartition();
      const { store } = subject();
      const events = ['a', 'b', 'c'];
      const writes = [{ kind: 'append', events: ['-'] } as const, { kind: 'append', stream: 's', events } as const];
      await store.commit({ partition: p, guards: [], writes });
      expect(await store.readPositions(p, stream('s'), 0, 2)).toEqual([2, 3]);
      expect(await store.readPositions(p, stream('s'), 2, 2)).toEqual([4]);
      expect(await store.readPositions(p, stream('s'), 3, 2)).toEqual([]);
      expect(await store.readPositions(p, { kind: 'tag', name: 's' }, 0, 2)).toEqual([]);
    });

    it('puts events back at their positions, where the feed ends', async () => {
      const p = freshPartition();
      const { store } = subject();
      const event = (position: number) => ({ position, fields: ['type', `t${position}`, 'data', '{}'] });
      expect(await store.restoreEvents(p, 0, [event(5), event(6)])).toBe(true);
      expect(await store.restoreEvents(p, 0, [event(5), event(6)])).toBe(false);
      expect(await store.restoreEvents(p, 5, [event(6)])).toBe(false);
      expect(await store.restoreEvents(p, 6, [event(7)])).toBe(true);
      const entries = await store.readFeed(p, 0, 10);
      expect(entries.map(({ id, fields }) => [id, fields[1]])).toEqual([
        ['0-5', 't5'],
        ['0-6', 't6'],
        ['0-7', 't7'],
      ]);
      await store.commit({ partition: p, guards: [], writes: [{ kind: 'append', events: ['next'] }] });
      expect(await store.head(p)).toBe(8);
    });

    it('puts positions back, so that streams are what they were and their events stay', async () => {
      const p = freshPartition();
      const { store } = subject();
      const events = Array.from({ length: 2_500 }, (_, i) => ({ position: i + 1, fields: ['event', `e${i + 1}`] }));
      await store.restoreEvents(p, 0, events);
      const odd = events.map(({ position }) => position).filter((position) => position % 2 === 1 && position > 1);
      expect(await store.restorePositions(p, stream('odd'), 0, odd)).toBe(true);
      expect(await store.restorePositions(p, stream('odd'), 0, odd)).toBe(false);
      expect(await store.restorePositions(p, { kind: 'tag', name: 'all' }, 0, [3])).toBe(true);
      const { version, entries } = await store.readStream(p, 'odd');
      expect(version).toBe(1_249);
      expect(entries.at(-1)).toMatchObject({ id: '0-2499', version: 1_249 });
      expect((await store.readTagged(p, 'all')).entries).toMatchObject([{ id: '0-3' }]);
      const feed = { partition: p, log: 'feed' } as const;
      expect(await store.trim(feed, { limit: 10_000 })).toMatchObject({ count: 2, heldBy: { kind: 'stream' } });
    });
  });
}
