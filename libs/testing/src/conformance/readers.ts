import type { Entry, Source } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshContext, freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

/** Longer than a test may take: a read that is not woken fails its test. */
const LONG_MS = 60_000;

export function describeReaders(subject: Subject): void {
  const ids = (entries: readonly Entry[]) => entries.map(({ id }) => id);

  describe('readers', () => {
    it('answers as soon as an entry comes', async () => {
      const source = inboxOf(freshPartition());
      const reader = subject().store.openReader();
      const reading = reader.readGroup('g', [source], 10, LONG_MS);
      const id = await subject().appendRaw(source, ['data', 'a']);
      expect(await reading).toEqual([{ source, id, fields: ['data', 'a'] }]);
      await reader.close();
    });

    it('is woken by a message that a commit emits', async () => {
      const partition = freshPartition();
      const reader = subject().store.openReader();
      const reading = reader.readGroup('g', [inboxOf(partition)], 10, LONG_MS);
      const emit = { kind: 'emit', to: partition, message: 'm' } as const;
      await subject().store.commit({ partition: freshPartition(), guards: [], writes: [emit] });
      expect((await reading).map(({ fields }) => fields)).toEqual([['event', 'm']]);
      await reader.close();
    });

    it('answers with nothing when nothing has come in time', async () => {
      const reader = subject().store.openReader();
      const source = inboxOf(freshPartition());
      expect(await reader.readGroup('g', [source], 10, 0)).toEqual([]);
      expect(await reader.readGroup('g', [source], 10, 30)).toEqual([]);
      await reader.close();
    });

    it('waits again after it has answered', async () => {
      const source = inboxOf(freshPartition());
      const reader = subject().store.openReader();
      for (const text of ['a', 'b', 'c']) {
        const reading = reader.readGroup('g', [source], 10, LONG_MS);
        const id = await subject().appendRaw(source, ['data', text]);
        expect(ids(await reading)).toEqual([id]);
      }
      await reader.close();
    });

    it('holds up nothing else while it waits, whatever for', async () => {
      const { store } = subject();
      const partition = freshPartition();
      const readers = [store.openReader(), store.openReader(), store.openReader()] as const;
      const ofGroup = readers[0].readGroup('g', [inboxOf(partition)], 10, LONG_MS);
      const ofFeed = readers[1].readFeeds([{ partition, position: 0 }], 10, LONG_MS);
      const ofReplies = readers[2].readReplies({ partition, instance: 'a' }, '0', 10, LONG_MS);
      for (let i = 0; i < 20; i++) expect(await store.head(partition)).toBe(0);
      const id = await subject().appendRaw(inboxOf(partition), ['data', 'a']);
      expect(ids(await ofGroup)).toEqual([id]);
      await Promise.all(readers.map((reader) => reader.close()));
      expect([await ofFeed, await ofReplies]).toEqual([[], []]);
    });

    it('reads many logs, each in order and up to the limit', async () => {
      const context = freshContext();
      const sources = [0, 1, 2].map((index): Source => inboxOf({ context, index }));
      const written = new Map<number, string[]>();
      for (const source of sources) {
        const appends = ['a', 'b', 'c'].map((text) => subject().appendRaw(source, ['data', text]));
        written.set(source.partition.index, await Promise.all(appends));
      }
      const reader = subject().store.openReader();
      const first = await reader.readGroup('g', sources, 2, 0);
      const second = await reader.readGroup('g', sources, 2, 0);
      for (const { partition } of sources) {
        const of = (entries: readonly Entry[]) =>
          ids(entries.filter((entry) => entry.source.partition.index === partition.index));
        expect([of(first), of(second)]).toEqual([
          written.get(partition.index)!.slice(0, 2),
          written.get(partition.index)!.slice(2),
        ]);
      }
      await reader.close();
    });

    it('delivers an entry to one of the readers of a group', async () => {
      const source = inboxOf(freshPartition());
      const readers = [subject().store.openReader(), subject().store.openReader()];
      const reads = readers.map((reader) => reader.readGroup('g', [source], 10, 200));
      await subject().appendRaw(source, ['data', 'a']);
      expect((await Promise.all(reads)).flat()).toHaveLength(1);
      await Promise.all(readers.map((reader) => reader.close()));
    });

    it('ends a waiting read when it is closed, more than once too', async () => {
      const reader = subject().store.openReader();
      const reading = reader.readGroup('g', [inboxOf(freshPartition())], 10, LONG_MS);
      await reader.close();
      expect(await reading).toEqual([]);
      await reader.close();
    });

    it('takes nothing away when it is closed', async () => {
      const source = inboxOf(freshPartition());
      const { store } = subject();
      const closed = store.openReader();
      const reading = closed.readGroup('g', [source], 10, LONG_MS);
      await closed.close();
      await reading;
      await subject().appendRaw(source, ['data', 'a']);
      expect(await store.backlog(source, 'g')).toEqual({ pending: 0, waiting: 1 });
    });
  });
}
