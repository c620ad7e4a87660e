import { randomUUID } from 'node:crypto';
import type { ReplyAddress } from '@millrace/broker';
import { repliesAt } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

/** Longer than a test may take: a read that is not woken fails its test. */
const LONG_MS = 60_000;

export function describeReplies(subject: Subject): void {
  function address(): ReplyAddress {
    return { partition: freshPartition(), instance: randomUUID() };
  }
  const commit = (to: ReplyAddress, message: string) =>
    subject().store.commit({ partition: freshPartition(), guards: [], writes: [{ kind: 'reply', to, message }] });
  const arrived = (to: ReplyAddress) => repliesAt(subject().store, to);

  describe('replies', () => {
    it('reach the process that waits for them, in order, by commit or at once', async () => {
      const to = address();
      expect(await subject().store.openReplies(to, LONG_MS)).toBe(true);
      await commit(to, 'a');
      expect(await subject().store.sendReply(to, 'b')).toBe(true);
      await commit(to, 'c');
      expect(await arrived(to)).toEqual(['a', 'b', 'c']);
    });

    it('are not kept for a process that has not asked for any', async () => {
      const to = address();
      expect((await commit(to, 'a')).status).toBe('committed');
      expect(await subject().store.sendReply(to, 'b')).toBe(false);
      await subject().store.openReplies(to, LONG_MS);
      expect(await arrived(to)).toEqual([]);
    });

    it('are neither kept nor taken once the process has closed its address', async () => {
      const to = address();
      await subject().store.openReplies(to, LONG_MS);
      await commit(to, 'a');
      await subject().store.closeReplies(to);
      await commit(to, 'b');
      expect(await subject().store.sendReply(to, 'c')).toBe(false);
      expect(await subject().store.openReplies(to, LONG_MS)).toBe(true);
      expect(await arrived(to)).toEqual([]);
    });

    it('are lost with a process that no longer keeps its address alive', async () => {
      const to = address();
      await subject().store.openReplies(to, 40);
      await commit(to, 'a');
      await waitUntil(async () => !(await subject().store.sendReply(to, 'still there?')));
      expect(await arrived(to)).toEqual([]);
    });

    it('stay while their address is kept alive', async () => {
      const to = address();
      await subject().store.openReplies(to, 500);
      await commit(to, 'a');
      expect(await subject().store.openReplies(to, LONG_MS)).toBe(false);
      const other = address();
      await subject().store.openReplies(other, 500);
      await waitUntil(async () => !(await subject().store.sendReply(other, 'x')));
      expect(await arrived(to)).toEqual(['a']);
    });

    it('are forgotten up to the last one read', async () => {
      const to = address();
      const { store } = subject();
      await store.openReplies(to, LONG_MS);
      for (const text of ['a', 'b', 'c']) await store.sendReply(to, text);
      const reader = store.openReader();
      const read = await reader.readReplies(to, '0', 2, 0);
      await reader.close();
      expect(await store.openReplies(to, LONG_MS, read.at(-1)!.id)).toBe(false);
      expect(await arrived(to)).toEqual(['c']);
      await store.sendReply(to, 'd');
      expect(await arrived(to)).toEqual(['c', 'd']);
    });

    it('wake the read that waits for them, and the next read goes on behind', async () => {
      const to = address();
      const { store } = subject();
      await store.openReplies(to, LONG_MS);
      const reader = store.openReader();
      let after = '0';
      for (const text of ['a', 'b']) {
        const reading = reader.readReplies(to, after, 10, LONG_MS);
        await commit(to, text);
        const replies = await reading;
        expect(replies.map(({ fields }) => fields)).toEqual([['event', text]]);
        after = replies[0]!.id;
      }
      expect(await reader.readReplies(to, after, 10, 20)).toEqual([]);
      const waiting = reader.readReplies(to, after, 10, LONG_MS);
      await reader.close();
      expect(await waiting).toEqual([]);
    });
  });
}
