import type { Follower, Source } from '@millrace/broker';
import { deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { feedOf, freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeSurveys(subject: Subject): void {
  const follower = (source: Source, group: string): Follower => ({ kind: 'group', log: source.log, group });

  describe('surveys', () => {
    it('of a partition nobody has used tell of nothing', async () => {
      const partition = freshPartition();
      const figures = await subject().store.survey(partition);
      const empty = { length: 0, first: undefined, last: undefined };
      expect(figures).toEqual({
        partition,
        logs: expect.arrayContaining([
          { log: 'feed', ...empty },
          { log: 'in', ...empty },
        ]),
        followers: [],
        expired: [],
        deadLetters: 0,
        newestDeadLetter: undefined,
        timers: 0,
      });
    });

    it('tell how far each group is, and who consumes', async () => {
      const partition = freshPartition();
      const { store } = subject();
      const source = feedOf(partition);
      await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: ['a', 'b', 'c', 'd'] }] });
      const [a] = await deliver(subject(), source, 'g', 3);
      await store.commit({ partition, guards: [{ kind: 'input', entry: refOf(a!), group: 'g' }], writes: [] });
      await store.acquireLease({ partition, group: 'g', owner: 'someone', ttlMs: 600_000 });
      const { logs, followers } = await store.survey(partition);
      expect(logs).toContainEqual({ log: 'feed', length: 4, first: '0-1', last: '0-4' });
      expect(followers).toEqual([
        {
          follower: follower(source, 'g'),
          position: '0-3',
          lag: 1,
          lagIsExact: true,
          pending: 2,
          oldestPending: { id: '0-2', ms: expect.any(Number) },
          unseenMs: expect.any(Number),
          holder: 'someone',
        },
      ]);
      expect(followers[0]!.unseenMs).toBeLessThan(60_000);
    });

    it('count the lag of an inbox after a trim, too', async () => {
      const source = inboxOf(freshPartition());
      const { store } = subject();
      for (const message of ['a', 'b', 'c', 'd']) await subject().appendRaw(source, ['data', message]);
      const entries = await deliver(subject(), source, 'g', 3);
      const guards = entries.map((entry) => ({ kind: 'input', entry: refOf(entry), group: 'g' }) as const);
      await store.commit({ partition: source.partition, guards, writes: [] });
      await store.trim(source, { limit: 100 });
      const { followers } = await store.survey(source.partition);
      expect(followers).toMatchObject([{ position: entries[2]!.id, lag: 1, pending: 0, oldestPending: undefined }]);
    });

    it('tell of checkpoints, own logs, expired groups, dead letters and timers', async () => {
      const partition = freshPartition();
      const { store } = subject();
      await store.commit({
        partition,
        guards: [],
        writes: [
          { kind: 'append', events: ['a', 'b', 'c'] },
          { kind: 'put', state: 'checkpoint.p.v1', value: '{"position":2}' },
          { kind: 'timer', id: 't', due: 1, message: 'm' },
        ],
      });
      const own: Source = { partition, log: 'own:g' };
      await store.register(partition, [{ kind: 'checkpoint', state: 'checkpoint.p.v1' }]);
      await store.createGroup(own, 'g');
      await store.createGroup(inboxOf(partition), 'gone');
      await store.expire(partition, follower(inboxOf(partition), 'gone'), 0);
      const { logs, followers, expired, deadLetters, timers } = await store.survey(partition);
      expect(logs.map(({ log }) => log).sort()).toEqual(['feed', 'in', 'own:g']);
      expect(followers.map((each) => each.follower)).toEqual(
        expect.arrayContaining([{ kind: 'checkpoint', state: 'checkpoint.p.v1' }, follower(own, 'g')]),
      );
      expect(followers.find((each) => each.follower.kind === 'checkpoint')).toMatchObject({ position: '0-2', lag: 1 });
      expect(expired).toEqual([{ log: 'in', group: 'gone' }]);
      expect([deadLetters, timers]).toEqual([0, 1]);
    });

    it('read any log past its groups', async () => {
      const source = inboxOf(freshPartition());
      for (const message of ['a', 'b', 'c']) await subject().appendRaw(source, ['data', message]);
      const { store } = subject();
      const [first, ...rest] = await store.readLog(source, '0', 10);
      expect(await store.readLog(source, first!.id, 10)).toEqual(rest);
      expect(await store.readLog(source, first!.id, 1)).toEqual(rest.slice(0, 1));
      expect(await deliver(subject(), source, 'g')).toHaveLength(3);
    });
  });
}
