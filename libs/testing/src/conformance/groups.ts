import { ownLog } from '@millrace/broker';
import type { Source } from '@millrace/broker';
import { deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeGroups(subject: Subject): void {
  async function inboxWith(...messages: string[]): Promise<Source> {
    const source = inboxOf(freshPartition());
    for (const message of messages) await subject().appendRaw(source, ['data', message]);
    return source;
  }

  const data = (entries: readonly { readonly fields: readonly string[] }[]) => entries.map(({ fields }) => fields[1]);

  describe('groups and pending entries', () => {
    it('begins at the beginning of the log, not at its end', async () => {
      const source = await inboxWith('a', 'b');
      await subject().store.createGroup(source, 'g');
      expect(data(await deliver(subject(), source, 'g'))).toEqual(['a', 'b']);
    });

    it('can be created before the log, and again, without losing its place', async () => {
      const source = await inboxWith();
      const { store } = subject();
      await store.createGroup(source, 'g');
      await subject().appendRaw(source, ['data', 'a']);
      await deliver(subject(), source, 'g');
      await store.createGroup(source, 'g');
      expect(await deliver(subject(), source, 'g')).toEqual([]);
    });

    it('gets a hand-written entry with all its fields', async () => {
      const source = inboxOf(freshPartition());
      const fields = ['type', 'catalog.reserve-stock', 'data', '{"orderId":"1"}', 'note', ''];
      const id = await subject().appendRaw(source, fields);
      expect(await deliver(subject(), source, 'g')).toEqual([{ source, id, fields }]);
    });

    it('delivers each entry to every group', async () => {
      const source = await inboxWith('a', 'b');
      expect(data(await deliver(subject(), source, 'g'))).toEqual(['a', 'b']);
      expect(data(await deliver(subject(), source, 'h'))).toEqual(['a', 'b']);
    });

    it('gives ids that grow', async () => {
      const source = await inboxWith(...Array.from({ length: 50 }, (_, i) => `${i}`));
      const ids = (await deliver(subject(), source, 'g')).map(({ id }) => id.split('-').map(Number));
      const ordered = ids.every(([ms, seq], i) => {
        const [formerMs, formerSeq] = ids[i - 1] ?? [0, 0];
        return ms! > formerMs! || (ms === formerMs && seq! > formerSeq!);
      });
      expect(ordered).toBe(true);
    });

    it('keeps what was delivered as pending and counts its deliveries', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      await deliver(subject(), source, 'g', 2);
      const deliveries = async (after = '0', limit = 10) =>
        (await store.readPending(source, 'g', after, limit)).map((entry) => [entry.fields[1], entry.deliveries]);
      expect(await deliveries()).toEqual([
        ['a', 2],
        ['b', 2],
      ]);
      expect(await deliveries('0', 1)).toEqual([['a', 3]]);
      expect(await deliveries()).toEqual([
        ['a', 4],
        ['b', 3],
      ]);
    });

    it('tells which entries are pending without counting a delivery', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      expect(await store.pendingIds(source, 'g', '0', 10)).toEqual([]);
      const ids = (await deliver(subject(), source, 'g')).map(({ id }) => id);
      expect(await store.pendingIds(source, 'g', '0', 10)).toEqual(ids);
      expect(await store.pendingIds(source, 'g', ids[0]!, 1)).toEqual([ids[1]]);
      expect((await store.readPending(source, 'g', '0', 10)).map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
    });

    it('reads pending entries after an id', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const [first] = await deliver(subject(), source, 'g');
      const { store } = subject();
      expect(data(await store.readPending(source, 'g', first!.id, 10))).toEqual(['b', 'c']);
      expect(data(await store.readPending(source, 'g', first!.id, 1))).toEqual(['b']);
    });

    it('forgets an entry that was acknowledged', async () => {
      const source = await inboxWith('a', 'b');
      const [first] = await deliver(subject(), source, 'g');
      const { store } = subject();
      const input = { kind: 'input', entry: refOf(first!), group: 'g' } as const;
      await store.commit({ partition: source.partition, guards: [input], writes: [] });
      expect(data(await store.readPending(source, 'g', '0', 10))).toEqual(['b']);
      expect(await deliver(subject(), source, 'g')).toEqual([]);
    });

    it('knows its backlog', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      await store.createGroup(source, 'g');
      expect(await store.backlog(source, 'g')).toEqual({ pending: 0, waiting: 3 });
      await deliver(subject(), source, 'g', 2);
      expect(await store.backlog(source, 'g')).toEqual({ pending: 2, waiting: 1 });
    });

    it('knows the backlog of a feed', async () => {
      const partition = freshPartition();
      const { store } = subject();
      const source: Source = { partition, log: 'feed' };
      await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['a', 'b', 'c'] }] });
      await deliver(subject(), source, 'g', 1);
      expect(await store.backlog(source, 'g')).toEqual({ pending: 1, waiting: 2 });
      expect((await store.readPending(source, 'g', '0', 10)).map(({ id }) => id)).toEqual(['0-1']);
    });

    it('has a log of its own in each partition, apart from the inbox, the feed and other groups', async () => {
      const partition = freshPartition();
      const own: Source = { partition, log: ownLog('g') };
      const id = await subject().appendRaw(own, ['data', 'a']);
      expect(id).toMatch(/^[1-9]\d*-\d+$/);
      const reader = subject().store.openReader();
      const others: Source[] = [inboxOf(partition), { partition, log: 'feed' }, { partition, log: ownLog('h') }];
      expect(await reader.readGroup('h', others, 10, 0)).toEqual([]);
      expect(await reader.readGroup('g', others, 10, 0)).toEqual([]);
      expect(await reader.readGroup('g', [own, ...others], 10, 0)).toEqual([
        { source: own, id, fields: ['data', 'a'] },
      ]);
      expect(await subject().store.backlog(own, 'g')).toEqual({ pending: 1, waiting: 0 });
      expect((await subject().store.readPending(own, 'g', '0', 10)).map(({ source }) => source)).toEqual([own]);
      await reader.close();
    });

    it('gives one entry to whoever asks, whatever became of it', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      const entries = await deliver(subject(), source, 'g', 2);
      expect(await store.readEntry(entries[1]!)).toEqual(entries[1]);
      expect(await store.readEntry({ source, id: '1-1' })).toBeUndefined();
      expect(data(await store.readPending(source, 'g', '0', 10))).toEqual(['a', 'b']);
    });

    it('has nothing pending and everything waiting before it exists', async () => {
      const source = await inboxWith('a');
      const { store } = subject();
      expect(await store.backlog(source, 'g')).toEqual({ pending: 0, waiting: 1 });
      expect(await store.readPending(source, 'g', '0', 10)).toEqual([]);
      expect(await store.backlog(inboxOf(freshPartition()), 'g')).toEqual({ pending: 0, waiting: 0 });
    });
  });
}
