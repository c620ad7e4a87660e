import { compareIds } from '@millrace/broker';
import type { Entry, Source, TrimRequest } from '@millrace/broker';
import { deliver, refOf, textOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeRetention(subject: Subject): void {
  const all: TrimRequest = { limit: 10_000 };
  const trim = (source: Source, request: TrimRequest = all) => subject().store.trim(source, request);

  async function inboxWith(...messages: string[]): Promise<Source> {
    const source = inboxOf(freshPartition());
    for (const message of messages) await subject().appendRaw(source, ['event', message]);
    return source;
  }

  async function feedWith(...events: string[]): Promise<Source> {
    const partition = freshPartition();
    await subject().store.commit({ partition, guards: [], writes: [{ kind: 'append', events }] });
    return feedOf(partition);
  }

  async function acknowledge(entries: readonly Entry[], group: string): Promise<void> {
    const guards = entries.map((entry) => ({ kind: 'input', entry: refOf(entry), group }) as const);
    const { partition } = entries[0]!.source;
    await subject().store.commit({ partition, guards, writes: [] });
  }

  const handle = async (source: Source, group: string, limit?: number): Promise<void> =>
    acknowledge(await deliver(subject(), source, group, limit), group);

  /** What is left, read by somebody new. */
  const left = async (source: Source) => (await deliver(subject(), source, 'observer')).map(textOf);

  describe('trimming', () => {
    it('removes what the group of an inbox has acknowledged', async () => {
      const source = await inboxWith('a', 'b', 'c');
      await handle(source, 'g', 2);
      expect(await trim(source)).toMatchObject({ count: 2, more: false });
      expect(await left(source)).toEqual(['c']);
    });

    it('removes nothing before a group has come', async () => {
      const source = await inboxWith('a');
      expect(await trim(source)).toMatchObject({ count: 0, heldBy: { kind: 'nobody' } });
      expect(await left(source)).toEqual(['a']);
    });

    it('removes nothing of a log that does not exist', async () => {
      expect(await trim(inboxOf(freshPartition()))).toMatchObject({ count: 0, more: false });
      expect(await trim(feedOf(freshPartition()), { ...all, keepMs: 0 })).toMatchObject({ count: 0, more: false });
    });

    it('waits for the slowest group', async () => {
      const source = await inboxWith('a', 'b', 'c');
      await subject().store.createGroup(source, 'slow');
      await handle(source, 'g');
      expect(await trim(source)).toMatchObject({ count: 0, heldBy: { kind: 'group', log: 'in', group: 'slow' } });
      await handle(source, 'slow', 1);
      expect(await trim(source)).toMatchObject({ count: 1, heldBy: { kind: 'group', log: 'in', group: 'slow' } });
      await handle(source, 'slow');
      expect(await trim(source)).toMatchObject({ count: 2, heldBy: undefined });
    });

    it('keeps what is delivered and not acknowledged, and all behind it', async () => {
      const source = await inboxWith('a', 'b', 'c', 'd');
      const entries = await deliver(subject(), source, 'g');
      await acknowledge([entries[0]!, entries[2]!, entries[3]!], 'g');
      expect(await trim(source)).toMatchObject({ count: 1, before: entries[1]!.id });
      const pending = await subject().store.readPending(source, 'g', '0', 10);
      expect(pending.map(textOf)).toEqual(['b']);
      await acknowledge([entries[1]!], 'g');
      expect(await trim(source)).toMatchObject({ count: 3 });
    });

    it('goes on delivering where it was', async () => {
      const source = await inboxWith('a', 'b');
      await handle(source, 'g');
      await trim(source);
      expect(await subject().store.backlog(source, 'g')).toEqual({ pending: 0, waiting: 0 });
      await subject().appendRaw(source, ['event', 'c']);
      expect(await subject().store.backlog(source, 'g')).toEqual({ pending: 0, waiting: 1 });
      expect((await deliver(subject(), source, 'g')).map(textOf)).toEqual(['c']);
    });

    it('removes up to an entry, and only looks with a limit of 0', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const entries = await deliver(subject(), source, 'g');
      await acknowledge(entries, 'g');
      const upTo = entries[1]!.id;
      const look = await trim(source, { upTo, limit: 0 });
      expect(look).toMatchObject({ count: 0, more: true });
      expect(entries.filter(({ id }) => compareIds(id, look.before) < 0).map(textOf)).toEqual(['a', 'b']);
      expect(await trim(source, { upTo, limit: 100 })).toMatchObject({ count: 2, more: false });
      expect(await left(source)).toEqual(['c']);
    });

    it('keeps so many of the newest', async () => {
      const source = await inboxWith('a', 'b', 'c', 'd');
      await handle(source, 'g');
      expect(await trim(source, { ...all, keepLength: 3 })).toMatchObject({ count: 1, more: false });
      expect(await trim(source, { ...all, keepLength: 3 })).toMatchObject({ count: 0, more: false });
      expect(await left(source)).toEqual(['b', 'c', 'd']);
    });

    it('keeps what is young, unless there is too much of it', async () => {
      const source = await inboxWith('a', 'b', 'c');
      await handle(source, 'g');
      expect(await trim(source, { ...all, keepMs: 600_000 })).toMatchObject({ count: 0, more: false });
      expect(await trim(source, { ...all, keepMs: 600_000, keepLength: 2 })).toMatchObject({ count: 1 });
      expect(await trim(source, { ...all, keepMs: 0, keepLength: 2 })).toMatchObject({ count: 2 });
    });

    it('removes many entries in steps', async () => {
      const partition = freshPartition();
      const writes = Array.from(
        { length: 1000 },
        (_, n) => ({ kind: 'emit', to: partition, message: `${n}` }) as const,
      );
      await subject().store.commit({ partition, guards: [], writes });
      const source = inboxOf(partition);
      await handle(source, 'g', 900);
      let removed = 0;
      for (let more = true; more;) {
        const step = await trim(source, { limit: 300 });
        expect(step.count).toBeLessThanOrEqual(300);
        ({ more } = step);
        removed += step.count;
      }
      expect(removed).toBe(900);
      expect((await left(source))[0]).toBe('900');
    });
  });

  describe('trimming a feed', () => {
    it('goes as far as its groups, by length', async () => {
      const source = await feedWith('a', 'b', 'c', 'd');
      await handle(source, 'g', 2);
      const request = { ...all, keepLength: 1 };
      expect(await trim(source, request)).toMatchObject({ count: 2, before: '0-3', heldBy: { group: 'g' } });
      await handle(source, 'g');
      expect(await trim(source, request)).toMatchObject({ count: 1, before: '0-4', heldBy: undefined });
    });

    it('keeps its last event, so that positions go on', async () => {
      const source = await feedWith('a', 'b');
      const { partition } = source;
      expect(await trim(source, { ...all, keepLength: 0 })).toMatchObject({ count: 1 });
      const { store } = subject();
      expect(await store.head(partition)).toBe(2);
      expect((await store.readFeed(partition, 0, 10)).map(({ id }) => id)).toEqual(['0-2']);
      const append = { kind: 'append', events: ['c'] } as const;
      expect(await store.commit({ partition, guards: [], writes: [append] })).toMatchObject({
        appended: [{ position: 3, version: 0 }],
      });
      expect((await store.readFeed(partition, 1, 10)).map(textOf)).toEqual(['b', 'c']);
      expect((await store.readFeed(partition, 2, 10)).map(textOf)).toEqual(['c']);
      const reader = store.openReader();
      expect((await reader.readFeeds([{ partition, position: 0 }], 10, 0)).map(textOf)).toEqual(['b', 'c']);
      await reader.close();
    });

    it('goes by age once it has seen it', async () => {
      const source = await feedWith('a', 'b', 'c');
      expect(await trim(source, { ...all, keepMs: 600_000 })).toMatchObject({ count: 0, heldBy: undefined });
      expect(await trim(source, { ...all, keepMs: 0 })).toMatchObject({ count: 2 });
    });

    it('stops before the first event of a stream', async () => {
      const source = await feedWith('a', 'b');
      const { partition } = source;
      const { store } = subject();
      const append = (stream: string, event: string) =>
        store.commit({ partition, guards: [], writes: [{ kind: 'append', stream, events: [event] }] });
      await append('s', 's1');
      await append('s', 's2');
      await append('t', 't1');
      expect(await trim(source, { ...all, keepLength: 0 })).toMatchObject({ count: 2, heldBy: { kind: 'stream' } });
      expect((await store.readStream(partition, 's')).entries.map(textOf)).toEqual(['s1', 's2']);
    });

    it('stops before the first event with a tag', async () => {
      const source = await feedWith('a', 'b');
      const { partition } = source;
      const { store } = subject();
      const write = { kind: 'append', events: ['c', 't1', 'd', 't2'], tags: [[], ['t'], [], ['t']] } as const;
      await store.commit({ partition, guards: [], writes: [write] });
      expect(await trim(source, { ...all, keepLength: 0 })).toMatchObject({ count: 3, heldBy: { kind: 'stream' } });
      expect((await store.readTagged(partition, 't')).entries.map(textOf)).toEqual(['t1', 't2']);
    });

    it('remembers which events it has let go as archived, and reading them names them in its direction', async () => {
      const source = await feedWith('a', 'b');
      const { partition } = source;
      const { store } = subject();
      const write = { kind: 'append', stream: 's', category: 'c', events: ['s1', 's2', 's3', 's4'] } as const;
      await store.commit({ partition, guards: [], writes: [{ ...write, tags: write.events.map(() => ['t']) }] });
      await trim(source, { ...all, upTo: '0-1' });
      expect(await store.archivedRange(partition)).toBeUndefined();
      await trim(source, { ...all, streams: true, upTo: '0-1' });
      expect(await store.archivedRange(partition)).toBeUndefined();
      await trim(source, { ...all, streams: true, upTo: '0-3' });
      await trim(source, { ...all, streams: true, upTo: '0-5' });
      expect(await store.archivedRange(partition)).toEqual({ from: 2, to: 5 });
      for (const backwards of [false, true]) {
        const positions = [3, 4, 5];
        if (backwards) positions.reverse();
        const { removed } = await store.readStream(partition, 's', { backwards });
        expect(removed).toEqual(positions.map((position) => ({ version: position - 2, position })));
        expect(await store.readTagged(partition, 't', { backwards })).toMatchObject({ removed: positions });
        expect(await store.readCategory(partition, 'c', { backwards })).toMatchObject({ removed: positions });
      }
    });

    it('stops behind what a checkpoint has reached', async () => {
      const source = await feedWith('a', 'b', 'c', 'd');
      const { partition } = source;
      const { store } = subject();
      const request = { ...all, keepLength: 0 };
      const heldBy = { kind: 'checkpoint', state: 'checkpoint.p.v1' } as const;
      await store.register(partition, [heldBy]);
      expect(await trim(source, request)).toMatchObject({ count: 0, heldBy });
      const value = JSON.stringify({ position: 2 });
      await store.commit({ partition, guards: [], writes: [{ kind: 'put', state: heldBy.state, value }] });
      expect(await trim(source, request)).toMatchObject({ count: 2, heldBy });
    });
  });
}
