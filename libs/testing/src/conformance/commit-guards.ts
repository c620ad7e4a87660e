import type { Commit, Guard, Write } from '@millrace/broker';
import { arrivedAt, deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

export function describeGuards(subject: Subject): void {
  const partition = freshPartition;

  function commit(to: Commit['partition'], guards: Commit['guards'], writes: Commit['writes'] = []) {
    return subject().store.commit({ partition: to, guards, writes });
  }

  describe('commit guards', () => {
    it('commits without guards and without writes', async () => {
      expect(await commit(partition(), [])).toEqual({ status: 'committed', appended: [] });
    });

    it('refuses a version that is not the number of events, and says which it is', async () => {
      const p = partition();
      const version = (expected: number): Guard => ({ kind: 'version', stream: 'order-1', expected });
      expect(await commit(p, [version(1)])).toEqual({ status: 'refused', guard: 'version', found: '0' });
      await commit(p, [version(0)], [{ kind: 'append', stream: 'order-1', events: ['a', 'b'] }]);
      expect(await commit(p, [version(1)])).toEqual({ status: 'refused', guard: 'version', found: '2' });
      expect(await commit(p, [version(2)])).toMatchObject({ status: 'committed' });
    });

    it('refuses a stream that has events, or has none, where the other is expected', async () => {
      const p = partition();
      const version = (expected: 'none' | 'exists'): Guard => ({ kind: 'version', stream: 's', expected });
      expect(await commit(p, [version('exists')])).toEqual({ status: 'refused', guard: 'version', found: '0' });
      const append = { kind: 'append', stream: 's', events: ['a', 'b'] } as const;
      expect(await commit(p, [version('none')], [append])).toMatchObject({ status: 'committed' });
      expect(await commit(p, [version('none')], [append])).toEqual({ status: 'refused', guard: 'version', found: '2' });
      expect(await commit(p, [version('exists')], [append])).toMatchObject({ appended: [{ version: 4 }] });
    });

    it('refuses a revision that is not the number of puts, and says which it is', async () => {
      const p = partition();
      const revision = (expected: number): Guard => ({ kind: 'revision', state: 's', expected });
      const put = { kind: 'put', state: 's', value: 'v' } as const;
      expect(await commit(p, [revision(1)])).toEqual({ status: 'refused', guard: 'revision', found: '0' });
      await commit(p, [revision(0)], [put]);
      await commit(p, [revision(1)], [put]);
      expect(await commit(p, [revision(0)])).toEqual({ status: 'refused', guard: 'revision', found: '2' });
      await commit(p, [revision(2)], [{ kind: 'delete', state: 's' }]);
      expect(await commit(p, [revision(0)], [put])).toMatchObject({ status: 'committed' });
    });

    it('refuses a command id that is remembered, and gives its result', async () => {
      const p = partition();
      const command = (result: string): Guard => ({ kind: 'command', id: 'c1', result, ttlMs: 60_000 });
      expect(await commit(p, [command('first')])).toMatchObject({ status: 'committed' });
      expect(await commit(p, [command('second')])).toEqual({ status: 'refused', guard: 'command', found: 'first' });
      expect(await subject().store.readCommand(p, 'c1')).toBe('first');
    });

    it('remembers a command whose result is empty', async () => {
      const p = partition();
      const guard: Guard = { kind: 'command', id: 'c1', result: '', ttlMs: 60_000 };
      await commit(p, [guard]);
      expect(await commit(p, [guard])).toEqual({ status: 'refused', guard: 'command', found: '' });
      expect(await subject().store.readCommand(p, 'c1')).toBe('');
    });

    it('remembers behind the result where the appends ended', async () => {
      const p = partition();
      const guard: Guard = { kind: 'command', id: 'c1', result: 'r', ttlMs: 60_000, withAppended: true };
      const writes: Write[] = [
        { kind: 'append', stream: 's', events: ['a', 'b'] },
        { kind: 'append', events: ['c'] },
      ];
      expect(await commit(p, [guard], writes)).toMatchObject({ status: 'committed' });
      expect(await commit(p, [guard], writes)).toEqual({ status: 'refused', guard: 'command', found: 'r 2 2 3 0' });
      const alone: Guard = { ...guard, id: 'c2' };
      await commit(p, [alone]);
      expect(await commit(p, [alone])).toEqual({ status: 'refused', guard: 'command', found: 'r' });
    });

    it('forgets a command id after its time to live', async () => {
      const p = partition();
      const guard: Guard = { kind: 'command', id: 'c1', result: 'r', ttlMs: 40 };
      await commit(p, [guard]);
      await waitUntil(async () => (await subject().store.readCommand(p, 'c1')) === undefined);
      expect(await commit(p, [guard])).toMatchObject({ status: 'committed' });
    });

    it('remembers a command in another partition where it is asked to, whatever commits there', async () => {
      const [p, other] = [partition(), partition()];
      const there: Guard = { kind: 'command', id: 'c1', result: 'r', ttlMs: 60_000, partition: other };
      const { partition: _other, ...here } = there;
      expect(await commit(p, [there])).toMatchObject({ status: 'committed' });
      expect(await commit(p, [here])).toMatchObject({ status: 'committed' });
      expect(await commit(partition(), [there])).toMatchObject({ status: 'refused', guard: 'command' });
      expect(await commit(other, [here])).toEqual({ status: 'refused', guard: 'command', found: 'r' });
      expect(await subject().store.readCommand(other, 'c1')).toBe('r');
    });

    it('does not remember the command of a refused commit', async () => {
      const p = partition();
      const command: Guard = { kind: 'command', id: 'c1', result: 'r', ttlMs: 60_000 };
      await commit(p, [command, { kind: 'version', stream: 's', expected: 7 }]);
      expect(await subject().store.readCommand(p, 'c1')).toBeUndefined();
    });

    it('refuses an effect that has a tombstone, and tells whose, until the tombstone is forgotten', async () => {
      const p = partition();
      const { store } = subject();
      const standing: Guard = { kind: 'tombstone', effect: 'sell/1/hold {any} text' };
      const { effect } = standing;
      const tombstone = (by: string, ttlMs: number): Write => ({ kind: 'tombstone', effect, by, ttlMs });
      expect(await commit(p, [standing])).toMatchObject({ status: 'committed' });
      await commit(p, [], [tombstone('first', 60_000)]);
      expect(await commit(p, [standing])).toEqual({ status: 'refused', guard: 'tombstone', found: 'first' });
      expect(await commit(p, [{ ...standing, effect: 'another' }])).toMatchObject({ status: 'committed' });
      expect(await store.readTombstone(p, effect)).toBe('first');
      await commit(p, [], [tombstone('', 40)]);
      await waitUntil(async () => (await store.readTombstone(p, effect)) === undefined);
      expect(await commit(p, [standing])).toMatchObject({ status: 'committed' });
    });

    it('keeps a tombstone in another partition where it is asked to, and looks for it there', async () => {
      const [p, other] = [partition(), partition()];
      const there: Guard = { kind: 'tombstone', effect: 'e', partition: other };
      const here: Guard = { kind: 'tombstone', effect: 'e' };
      const at = (where: Commit['partition']): Write => {
        return { kind: 'tombstone', effect: 'e', by: 'me', ttlMs: 60_000, partition: where };
      };
      await commit(p, [], [{ kind: 'put', state: 's', value: 'v' }, at(other)]);
      expect(await commit(p, [here])).toMatchObject({ status: 'committed' });
      const put = { kind: 'put', state: 's', value: 'w' } as const;
      expect(await commit(p, [there], [put])).toEqual({ status: 'refused', guard: 'tombstone', found: 'me' });
      expect(await commit(other, [here])).toEqual({ status: 'refused', guard: 'tombstone', found: 'me' });
      expect(await subject().store.readState(p, 's')).toEqual({ revision: 1, value: 'v' });
    });

    it('sets no tombstone with a refused commit', async () => {
      const p = partition();
      const write: Write = { kind: 'tombstone', effect: 'e', by: 'me', ttlMs: 60_000 };
      await commit(p, [{ kind: 'version', stream: 's', expected: 7 }], [write]);
      expect(await subject().store.readTombstone(p, 'e')).toBeUndefined();
    });

    it('refuses an epoch that has been taken over, and says which it is now', async () => {
      const p = partition();
      const lease = (epoch: number): Guard => ({ kind: 'lease', partition: p, group: 'g', epoch });
      const { store } = subject();
      expect(await commit(p, [lease(1)])).toEqual({ status: 'refused', guard: 'lease', found: '0' });
      // A lease that nobody has has no epoch, not even this one.
      expect(await commit(p, [lease(0)])).toEqual({ status: 'refused', guard: 'lease', found: '0' });
      await store.acquireLease({ partition: p, group: 'g', owner: 'former', ttlMs: 60_000 });
      expect(await commit(p, [lease(1)])).toMatchObject({ status: 'committed' });
      await store.releaseLease(p, 'g', 1);
      await store.acquireLease({ partition: p, group: 'g', owner: 'latter', ttlMs: 60_000 });
      expect(await commit(p, [lease(1)])).toEqual({ status: 'refused', guard: 'lease', found: '2' });
    });

    it('acknowledges an input once', async () => {
      const p = partition();
      await subject().appendRaw(inboxOf(p), ['type', 'x', 'data', '{}']);
      const [entry] = await deliver(subject(), inboxOf(p), 'g');
      const input: Guard = { kind: 'input', entry: refOf(entry!), group: 'g' };
      expect(await commit(p, [input])).toMatchObject({ status: 'committed' });
      expect(await commit(p, [input])).toEqual({ status: 'refused', guard: 'input', found: 'acknowledged' });
      expect(await subject().store.backlog(inboxOf(p), 'g')).toEqual({ pending: 0, waiting: 0 });
    });

    it('refuses an input that was never delivered to the group', async () => {
      const p = partition();
      const id = await subject().appendRaw(inboxOf(p), ['type', 'x', 'data', '{}']);
      await deliver(subject(), inboxOf(p), 'other');
      const input: Guard = { kind: 'input', entry: { source: inboxOf(p), id }, group: 'g' };
      expect(await commit(p, [input])).toMatchObject({ status: 'refused', guard: 'input' });
      await subject().store.createGroup(inboxOf(p), 'g');
      expect(await commit(p, [input])).toMatchObject({ status: 'refused', guard: 'input' });
    });

    it('acknowledges several inputs together or none of them', async () => {
      const p = partition();
      for (let i = 0; i < 3; i++) await subject().appendRaw(inboxOf(p), ['type', 'x', 'data', '{}']);
      const entries = await deliver(subject(), inboxOf(p), 'g');
      const [first, second, third] = entries.map((entry): Guard => ({
        kind: 'input',
        entry: refOf(entry),
        group: 'g',
      }));
      expect(await commit(p, [second!, third!])).toMatchObject({ status: 'committed' });
      expect(await commit(p, [first!, second!])).toMatchObject({ status: 'refused', guard: 'input' });
      expect(await commit(p, [first!])).toMatchObject({ status: 'committed' });
    });

    it('takes the same input twice as one', async () => {
      const p = partition();
      await subject().appendRaw(inboxOf(p), ['type', 'x', 'data', '{}']);
      const [entry] = await deliver(subject(), inboxOf(p), 'g');
      const input: Guard = { kind: 'input', entry: refOf(entry!), group: 'g' };
      expect(await commit(p, [input, { ...input }])).toMatchObject({ status: 'committed' });
      expect(await subject().store.backlog(inboxOf(p), 'g')).toEqual({ pending: 0, waiting: 0 });
    });

    it('acknowledges an entry of the feed of another context', async () => {
      const [theirs, ours] = [partition(), partition()];
      await commit(theirs, [], [{ kind: 'append', events: ['happened'] }]);
      const [entry] = await deliver(subject(), { partition: theirs, log: 'feed' }, 'reactor');
      const input: Guard = { kind: 'input', entry: refOf(entry!), group: 'reactor' };
      const emit = { kind: 'emit', to: ours, message: 'heard' } as const;
      expect(await commit(ours, [input], [emit])).toMatchObject({ status: 'committed' });
      expect(await commit(ours, [input], [emit])).toMatchObject({ status: 'refused', guard: 'input' });
      expect(await arrivedAt(subject(), ours)).toEqual(['heard']);
    });

    it('reports the first refusal by kind: lease, command, tombstone, version, tags, revision, input', async () => {
      const p = partition();
      await commit(
        p,
        [{ kind: 'command', id: 'c1', result: 'before', ttlMs: 60_000 }],
        [
          { kind: 'append', events: ['tagged'], tags: [['t']] },
          { kind: 'tombstone', effect: 'e', by: 'me', ttlMs: 60_000 },
        ],
      );
      const wrong: Guard[] = [
        { kind: 'input', entry: { source: inboxOf(p), id: '1-1' }, group: 'g' },
        { kind: 'revision', state: 's', expected: 7 },
        { kind: 'tags', query: [{ tags: ['t'] }], after: 0 },
        { kind: 'version', stream: 's', expected: 7 },
        { kind: 'tombstone', effect: 'e' },
        { kind: 'command', id: 'c1', result: 'again', ttlMs: 60_000 },
        { kind: 'lease', partition: p, group: 'g', epoch: 7 },
      ];
      const reported: string[] = [];
      for (let left = wrong.length; left > 0; left--) {
        const result = await commit(p, wrong.slice(0, left));
        reported.push(result.status === 'refused' ? result.guard : result.status);
      }
      expect(reported).toEqual(['lease', 'command', 'tombstone', 'version', 'tags', 'revision', 'input']);
    });

    it('checks guards against what was before its own writes', async () => {
      const p = partition();
      const result = await commit(
        p,
        [
          { kind: 'version', stream: 's', expected: 0 },
          { kind: 'revision', state: 's', expected: 0 },
        ],
        [
          { kind: 'append', stream: 's', events: ['a'] },
          { kind: 'put', state: 's', value: 'v' },
        ],
      );
      expect(result.status).toBe('committed');
      expect(await subject().store.readState(p, 's')).toEqual({ revision: 1, value: 'v' });
    });
  });
}
