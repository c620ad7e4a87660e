import { textOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeFeeds(subject: Subject): void {
  async function feedWith(...events: string[]) {
    const partition = freshPartition();
    await subject().store.commit({ partition, guards: [], writes: [{ kind: 'append', events }] });
    return partition;
  }

  describe('feeds and positions', () => {
    it('begins empty, with head 0', async () => {
      const p = freshPartition();
      expect(await subject().store.head(p)).toBe(0);
      expect(await subject().store.readFeed(p, 0, 10)).toEqual([]);
    });

    it('numbers its events 1 to n without gaps', async () => {
      const p = await feedWith('a', 'b', 'c');
      expect(await subject().store.head(p)).toBe(3);
      expect(await subject().store.readFeed(p, 0, 10)).toEqual([
        { source: feedOf(p), id: '0-1', fields: ['event', 'a'] },
        { source: feedOf(p), id: '0-2', fields: ['event', 'b'] },
        { source: feedOf(p), id: '0-3', fields: ['event', 'c'] },
      ]);
    });

    it('leaves no gap for a refused commit', async () => {
      const p = await feedWith('a');
      const { store } = subject();
      await store.commit({
        partition: p,
        guards: [{ kind: 'version', stream: 's', expected: 5 }],
        writes: [{ kind: 'append', events: ['refused'] }],
      });
      await store.commit({ partition: p, guards: [], writes: [{ kind: 'append', events: ['b'] }] });
      expect((await store.readFeed(p, 0, 10)).map(textOf)).toEqual(['a', 'b']);
      expect(await store.head(p)).toBe(2);
    });

    it('is read after a position, up to a limit', async () => {
      const p = await feedWith('a', 'b', 'c', 'd');
      const { store } = subject();
      expect((await store.readFeed(p, 1, 2)).map(textOf)).toEqual(['b', 'c']);
      expect((await store.readFeed(p, 3, 10)).map(textOf)).toEqual(['d']);
      expect(await store.readFeed(p, 4, 10)).toEqual([]);
      expect(await store.readFeed(p, 9, 10)).toEqual([]);
    });

    it('is read backwards before a position, or from its end', async () => {
      const p = await feedWith('a', 'b', 'c', 'd');
      const { store } = subject();
      expect((await store.readFeed(p, Infinity, 3, true)).map(textOf)).toEqual(['d', 'c', 'b']);
      expect((await store.readFeed(p, 3, 10, true)).map(textOf)).toEqual(['b', 'a']);
      expect((await store.readFeed(p, 99, 1, true)).map(textOf)).toEqual(['d']);
      expect(await store.readFeed(p, 1, 10, true)).toEqual([]);
    });

    it('is readable by somebody who waits for it', async () => {
      const [p, q] = [await feedWith('p1', 'p2'), freshPartition()];
      const reader = subject().store.openReader();
      const after = [
        { partition: p, position: 2 },
        { partition: q, position: 0 },
      ];
      expect(await reader.readFeeds(after, 10, 0)).toEqual([]);
      const reading = reader.readFeeds(after, 10, 60_000);
      await subject().store.commit({ partition: q, guards: [], writes: [{ kind: 'append', events: ['q1'] }] });
      expect(await reading).toEqual([{ source: feedOf(q), id: '0-1', fields: ['event', 'q1'] }]);
      await reader.close();
    });

    it('gives up to the limit of each feed at once', async () => {
      const [p, q] = [await feedWith('p1', 'p2', 'p3'), await feedWith('q1', 'q2')];
      const reader = subject().store.openReader();
      const entries = await reader.readFeeds(
        [
          { partition: p, position: 1 },
          { partition: q, position: 0 },
        ],
        1,
        0,
      );
      expect(entries.map(textOf).sort()).toEqual(['p2', 'q1']);
      await reader.close();
    });
  });
}
