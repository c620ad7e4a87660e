import type { Commit, Write } from '@millrace/broker';
import { arrivedAt, textOf } from './entries.js';
import { fireTimers } from './fire-timers.js';
import { describe, expect, it } from './jest-globals.js';
import { waitUntil } from './wait-until.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeCommitWrites(subject: Subject): void {
  function commit(partition: Commit['partition'], ...writes: Write[]) {
    return subject().store.commit({ partition, guards: [], writes });
  }

  describe('commit writes', () => {
    it('says of each append where it ended', async () => {
      const p = freshPartition();
      await commit(p, { kind: 'append', stream: 'a', events: ['a1', 'a2'] });
      const result = await commit(
        p,
        { kind: 'append', stream: 'b', events: ['b1'] },
        { kind: 'put', state: 's', value: 'v' },
        { kind: 'append', stream: 'a', events: ['a3', 'a4'] },
        { kind: 'append', events: ['streamless'] },
        { kind: 'append', stream: 'a', events: [] },
      );
      expect(result).toEqual({
        status: 'committed',
        appended: [
          { position: 3, version: 1 },
          { position: 5, version: 4 },
          { position: 6, version: 0 },
          { position: 6, version: 4 },
        ],
      });
    });

    it('writes in the order given', async () => {
      const p = freshPartition();
      await commit(
        p,
        { kind: 'put', state: 's', value: '1' },
        { kind: 'put', state: 's', value: '2' },
        { kind: 'put', state: 't', value: '1' },
        { kind: 'delete', state: 't' },
        { kind: 'row', view: 'v', id: 'r', value: null },
        { kind: 'row', view: 'v', id: 'r', value: 'kept' },
      );
      expect(await subject().store.readState(p, 's')).toEqual({ revision: 2, value: '2' });
      expect(await subject().store.readState(p, 't')).toBeUndefined();
      expect(await subject().store.readRow(p, 'v', 'r')).toBe('kept');
    });

    it('counts the revisions of a deleted state from the beginning', async () => {
      const p = freshPartition();
      const put: Write = { kind: 'put', state: 's', value: 'v' };
      await commit(p, put, put, { kind: 'delete', state: 's' });
      await commit(p, put);
      expect(await subject().store.readState(p, 's')).toEqual({ revision: 1, value: 'v' });
    });

    it('forgets a state that was put for a time, unless it is put again for ever', async () => {
      const p = freshPartition();
      const { store } = subject();
      const put = (state: string, ttlMs?: number): Write => ({
        kind: 'put',
        state,
        value: 'v',
        ...(ttlMs === undefined ? {} : { ttlMs }),
      });
      await commit(p, put('short', 50), put('kept', 50), put('plain'));
      await commit(p, put('kept', 0));
      await waitUntil(async () => (await store.readState(p, 'short')) === undefined);
      expect(await store.readState(p, 'kept')).toEqual({ revision: 2, value: 'v' });
      expect(await store.readState(p, 'plain')).toEqual({ revision: 1, value: 'v' });
      const again = { kind: 'revision', state: 'short', expected: 0 } as const;
      expect(await store.commit({ partition: p, guards: [again], writes: [put('short', 60_000)] })).toMatchObject({
        status: 'committed',
      });
      expect(await store.readState(p, 'short')).toEqual({ revision: 1, value: 'v' });
    });

    it('delivers messages to inboxes of any context, in order', async () => {
      const [p, other] = [freshPartition(), freshPartition()];
      await commit(
        p,
        { kind: 'emit', to: other, message: 'one' },
        { kind: 'emit', to: p, message: 'mine' },
        { kind: 'emit', to: other, message: 'two' },
      );
      expect(await arrivedAt(subject(), other)).toEqual(['one', 'two']);
      expect(await arrivedAt(subject(), p)).toEqual(['mine']);
    });

    it('writes nothing when one guard is refused', async () => {
      const p = freshPartition();
      const { store } = subject();
      const result = await store.commit({
        partition: p,
        guards: [{ kind: 'version', stream: 's', expected: 1 }],
        writes: [
          { kind: 'append', stream: 's', events: ['e'] },
          { kind: 'put', state: 's', value: 'v' },
          { kind: 'row', view: 'v', id: 'r', value: 'v' },
          { kind: 'emit', to: p, message: 'm' },
          { kind: 'timer', id: 't', due: 1, message: 'm' },
        ],
      });
      expect(result.status).toBe('refused');
      expect(await store.head(p)).toBe(0);
      expect(await store.readState(p, 's')).toBeUndefined();
      expect(await store.readRows(p, 'v')).toEqual(new Map());
      expect(await store.backlog(inboxOf(p), 'g')).toEqual({ pending: 0, waiting: 0 });
      expect(await fireTimers(store, p, Date.now(), 10)).toEqual({ fired: 0, next: undefined });
    });

    it.each(['', '0', 'line\r\nbreak', 'nul \0 inside', '"quoted" \\ {"json":[]}', 'grüße 🙂 заказ', '%s $1 ]]'])(
      'keeps the text %j as it is',
      async (text) => {
        const p = freshPartition();
        const { store } = subject();
        await commit(
          p,
          { kind: 'append', stream: 's', events: [text] },
          { kind: 'put', state: 's', value: text },
          { kind: 'row', view: 'v', id: text, value: text },
          { kind: 'emit', to: p, message: text },
        );
        expect((await store.readStream(p, 's')).entries.map(textOf)).toEqual([text]);
        expect(await store.readState(p, 's')).toEqual({ revision: 1, value: text });
        expect(await store.readRows(p, 'v')).toEqual(new Map([[text, text]]));
        expect(await store.readRow(p, 'v', text)).toBe(text);
        expect(await arrivedAt(subject(), p)).toEqual([text]);
      },
    );

    it('takes ten thousand events in one commit', async () => {
      const p = freshPartition();
      const events = Array.from({ length: 10_000 }, (_, i) => `event ${i}`);
      const result = await commit(p, { kind: 'append', stream: 's', events });
      expect(result).toEqual({ status: 'committed', appended: [{ position: 10_000, version: 10_000 }] });
      expect((await subject().store.readStream(p, 's', { after: 9_999 })).entries.map(textOf)).toEqual(['event 9999']);
    });

    it('takes a thousand writes in one commit', async () => {
      const p = freshPartition();
      const rows = Array.from({ length: 1000 }, (_, i): Write => ({ kind: 'row', view: 'v', id: `${i}`, value: 'v' }));
      await commit(p, ...rows);
      expect((await subject().store.readRows(p, 'v')).size).toBe(1000);
    });

    it('keeps the partitions of a context apart', async () => {
      const p = freshPartition();
      const next = { ...p, index: 1 };
      await commit(p, { kind: 'append', stream: 's', events: ['e'] }, { kind: 'put', state: 's', value: 'v' });
      expect(await subject().store.head(next)).toBe(0);
      expect(await subject().store.readState(next, 's')).toBeUndefined();
      expect((await subject().store.readStream(next, 's')).version).toBe(0);
    });
  });
}
