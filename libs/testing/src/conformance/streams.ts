import type { Page } from '@millrace/broker';
import { textOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeStreams(subject: Subject): void {
  async function appended(...appends: (readonly [stream: string, ...events: string[]])[]) {
    const partition = freshPartition();
    for (const [stream, ...events] of appends) {
      await subject().store.commit({ partition, guards: [], writes: [{ kind: 'append', stream, events }] });
    }
    return partition;
  }

  describe('streams', () => {
    it('is empty at version 0 before its first event', async () => {
      expect(await subject().store.readStream(freshPartition(), 'order-1')).toEqual({ version: 0, entries: [] });
    });

    it('gives its own events in order, with their positions in the feed', async () => {
      const p = await appended(['a', 'a1'], ['b', 'b1', 'b2'], ['a', 'a2']);
      const slice = await subject().store.readStream(p, 'a');
      expect(slice).toEqual({
        version: 2,
        entries: [
          { source: feedOf(p), id: '0-1', fields: ['event', 'a1'], version: 1 },
          { source: feedOf(p), id: '0-4', fields: ['event', 'a2'], version: 2 },
        ],
      });
    });

    it('gives the events after a version', async () => {
      const p = await appended(['a', 'a1', 'a2', 'a3']);
      const { version, entries } = await subject().store.readStream(p, 'a', { after: 1 });
      expect(version).toBe(3);
      expect(entries.map(textOf)).toEqual(['a2', 'a3']);
    });

    it('gives its version and nothing else to somebody who has all of it', async () => {
      const p = await appended(['a', 'a1', 'a2']);
      expect(await subject().store.readStream(p, 'a', { after: 2 })).toEqual({ version: 2, entries: [] });
      expect(await subject().store.readStream(p, 'a', { after: 9 })).toEqual({ version: 2, entries: [] });
    });

    it('is read by pages, in both directions, each going on behind the one before', async () => {
      const p = await appended(['a', 'a1', 'a2'], ['b', 'b1'], ['a', 'a3', 'a4', 'a5']);
      const page = async (at: Page) => {
        const { version, entries } = await subject().store.readStream(p, 'a', at);
        expect(version).toBe(5);
        return entries.map((entry) => `${entry.version} ${textOf(entry)} ${entry.id}`);
      };
      expect(await page({ limit: 3 })).toEqual(['1 a1 0-1', '2 a2 0-2', '3 a3 0-4']);
      expect(await page({ after: 3, limit: 3 })).toEqual(['4 a4 0-5', '5 a5 0-6']);
      expect(await page({ backwards: true, limit: 2 })).toEqual(['5 a5 0-6', '4 a4 0-5']);
      expect(await page({ backwards: true, after: 4, limit: 5 })).toEqual(['3 a3 0-4', '2 a2 0-2', '1 a1 0-1']);
      expect(await page({ backwards: true, after: 99, limit: 1 })).toEqual(['5 a5 0-6']);
      expect(await page({ backwards: true, after: 1 })).toEqual([]);
      expect(await page({ backwards: true })).toHaveLength(5);
    });

    it('reads a long stream completely', async () => {
      const events = Array.from({ length: 3000 }, (_, i) => `e${i}`);
      const p = await appended(['a', ...events], ['b', 'b1']);
      expect((await subject().store.readStream(p, 'a')).entries.map(textOf)).toEqual(events);
      const backwards = await subject().store.readStream(p, 'a', { backwards: true });
      expect(backwards.entries.map(textOf)).toEqual(events.toReversed());
      expect(backwards.entries.at(0)?.version).toBe(3000);
    });
  });
}
