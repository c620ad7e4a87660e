import { StoreUnavailableError } from '@millrace/broker';
import type { Entry, Follower, Source } from '@millrace/broker';
import { deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeFollowers(subject: Subject): void {
  async function inboxWith(...messages: string[]): Promise<Source> {
    const source = inboxOf(freshPartition());
    for (const message of messages) await subject().appendRaw(source, ['data', message]);
    return source;
  }

  const expire = ({ partition, log }: Source, group: string, unseenMs = 0) =>
    subject().store.expire(partition, { kind: 'group', log, group }, unseenMs);
  const data = (entries: readonly Entry[]) => entries.map(({ fields }) => fields[1]);
  const acknowledge = ({ source, ...entry }: Entry, group: string) => {
    const input = { kind: 'input', entry: refOf({ source, ...entry }), group } as const;
    return subject().store.commit({ partition: source.partition, guards: [input], writes: [] });
  };

  describe('followers', () => {
    it('are created, exist, and come back', async () => {
      const source = await inboxWith('a');
      const { store } = subject();
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'created', missed: false });
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'existed', missed: false });
      await expire(source, 'g');
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'restored', missed: false });
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'existed', missed: false });
    });

    it('expire when they have not been seen for so long, and tell what they leave', async () => {
      const source = await inboxWith('a', 'b', 'c');
      await deliver(subject(), source, 'g', 1);
      expect(await expire(source, 'g', 600_000)).toBeUndefined();
      expect(await expire(source, 'g')).toEqual({ unread: 2, pending: 1 });
      expect(await expire(source, 'g')).toBeUndefined();
      expect(await expire(source, 'never-there')).toBeUndefined();
    });

    it('hold nothing any more when they have expired', async () => {
      const source = await inboxWith('a', 'b');
      await subject().store.createGroup(source, 'slow');
      const [a, b] = await deliver(subject(), source, 'g');
      await acknowledge(a!, 'g');
      await acknowledge(b!, 'g');
      expect(await subject().store.trim(source, { limit: 100 })).toMatchObject({ count: 0 });
      await expire(source, 'slow');
      expect(await subject().store.trim(source, { limit: 100 })).toMatchObject({ count: 2 });
    });

    it('go on where they were, with what was unfinished and how often it was delivered', async () => {
      const source = await inboxWith('a', 'b', 'c', 'd');
      const { store } = subject();
      const [, b] = await deliver(subject(), source, 'g', 3);
      await acknowledge(b!, 'g');
      await store.readPending(source, 'g', '0', 1);
      await expire(source, 'g');
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'restored', missed: false });
      const pending = await store.readPending(source, 'g', '0', 10);
      expect(pending.map(({ fields, deliveries }) => [fields[1], deliveries])).toEqual([
        ['a', 3],
        ['c', 2],
      ]);
      expect(data(await deliver(subject(), source, 'g'))).toEqual(['d']);
    });

    it('are told, when they are new, of archived events that are before their beginning', async () => {
      const source = feedOf(freshPartition());
      const { partition } = source;
      const { store } = subject();
      const write = { kind: 'append', stream: 's', events: ['a', 'b', 'c', 'd'] } as const;
      await store.commit({ partition, guards: [], writes: [write] });
      expect(await store.createGroup(source, 'before')).toEqual({ status: 'created', missed: false });
      await expire(source, 'before');
      await store.trim(source, { streams: true, upTo: '0-2', limit: 100 });
      const archived = { from: 1, to: 2 };
      expect(await store.createGroup(source, 'before')).toEqual({ status: 'restored', missed: true, archived });
      expect(await store.createGroup(source, 'new')).toEqual({ status: 'created', missed: false, archived });
      expect(await store.createGroup(source, 'new')).toEqual({ status: 'existed', missed: false });
      expect(await store.createGroup(inboxOf(partition), 'new')).toEqual({ status: 'created', missed: false });
      expect((await deliver(subject(), source, 'new')).map(({ id }) => id)).toEqual(['0-3', '0-4']);
    });

    it('come back without what was trimmed meanwhile, and know it', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      await deliver(subject(), source, 'g', 1);
      for (const entry of await deliver(subject(), source, 'h', 2)) await acknowledge(entry, 'h');
      await expire(source, 'g');
      await store.trim(source, { limit: 100 });
      expect(await store.createGroup(source, 'g')).toEqual({ status: 'restored', missed: true });
      expect(await store.readPending(source, 'g', '0', 10)).toEqual([]);
      expect(data(await deliver(subject(), source, 'g'))).toEqual(['c']);
    });

    it('come back by reading, too, which says that there may be something pending to look at first', async () => {
      const source = await inboxWith('a', 'b');
      const [a] = await deliver(subject(), source, 'g', 1);
      await acknowledge(a!, 'g');
      await expire(source, 'g');
      await expect(deliver(subject(), source, 'g')).rejects.toThrow(StoreUnavailableError);
      expect(data(await deliver(subject(), source, 'g'))).toEqual(['b']);
    });

    it('can be readers with a checkpoint', async () => {
      const partition = freshPartition();
      const { store } = subject();
      const follower: Follower = { kind: 'checkpoint', state: 'checkpoint.p.v1' };
      await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['a', 'b', 'c'] }] });
      expect(await store.expire(partition, follower, 0)).toBeUndefined();
      await store.register(partition, [follower]);
      expect(await store.expire(partition, follower, 600_000)).toBeUndefined();
      expect(await store.expire(partition, follower, 0)).toEqual({ unread: 3, pending: 0 });
      expect(await store.trim(feedOf(partition), { keepLength: 1, limit: 100 })).toMatchObject({ count: 2 });
    });
  });
}
