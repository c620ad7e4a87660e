import type { LeaseAnswer } from '@millrace/broker';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

export function describeLeases(subject: Subject): void {
  function contested(partition = freshPartition()) {
    const { store } = subject();
    return {
      partition,
      acquire: (owner: string, ttlMs = 60_000, group = 'g') => store.acquireLease({ partition, group, owner, ttlMs }),
      release: (epoch: number) => store.releaseLease(partition, 'g', epoch),
    };
  }

  const remaining = (answer: LeaseAnswer) => (answer.held ? 0 : answer.remainingMs);

  describe('leases', () => {
    it('is given to the first who asks, with epoch 1', async () => {
      const { acquire } = contested();
      expect(await acquire('a')).toEqual({ held: true, epoch: 1 });
    });

    it('is refused to others while it is held, naming the holder and the time left', async () => {
      const { acquire } = contested();
      await acquire('a', 50_000);
      const answer = await acquire('b');
      expect(answer).toMatchObject({ held: false, owner: 'a' });
      expect(remaining(answer)).toBeGreaterThan(0);
      expect(remaining(answer)).toBeLessThanOrEqual(50_000);
    });

    it('keeps its epoch when it is renewed', async () => {
      const { acquire } = contested();
      await acquire('a');
      expect(await acquire('a')).toEqual({ held: true, epoch: 1 });
    });

    it('lasts longer when it is renewed', async () => {
      const { acquire } = contested();
      await acquire('a', 1_000);
      await acquire('a', 50_000);
      expect(remaining(await acquire('b'))).toBeGreaterThan(1_000);
    });

    it('is taken over with the next epoch when it has expired', async () => {
      const { acquire } = contested();
      await acquire('a', 60);
      await waitUntil(async () => (await acquire('b')).held);
      expect(await acquire('b')).toEqual({ held: true, epoch: 2 });
      expect(await acquire('a')).toMatchObject({ held: false, owner: 'b' });
    });

    it('refuses the commits of a holder who was taken over', async () => {
      const { acquire, partition } = contested();
      await acquire('zombie', 30);
      await waitUntil(async () => (await acquire('heir')).held);
      const result = await subject().store.commit({
        partition,
        guards: [{ kind: 'lease', partition, group: 'g', epoch: 1 }],
        writes: [{ kind: 'append', events: ['late'] }],
      });
      expect(result).toEqual({ status: 'refused', guard: 'lease', found: '2' });
      expect(await subject().store.head(partition)).toBe(0);
    });

    it('is free at once when it is released, and never gives an epoch twice', async () => {
      const { acquire, release } = contested();
      await acquire('a');
      await release(1);
      expect(await acquire('b')).toEqual({ held: true, epoch: 2 });
      await release(2);
      expect(await acquire('a')).toEqual({ held: true, epoch: 3 });
    });

    it('is not released by a former epoch, nor where nobody holds it', async () => {
      const { acquire, release } = contested();
      await release(1);
      await acquire('a');
      await release(1);
      await acquire('b');
      await release(1);
      expect(await acquire('c')).toMatchObject({ held: false, owner: 'b' });
    });

    it('is separate for each group and each partition', async () => {
      const { acquire, partition } = contested();
      await acquire('a');
      expect(await acquire('b', 60_000, 'h')).toEqual({ held: true, epoch: 1 });
      const next = contested({ ...partition, index: 1 });
      expect(await next.acquire('b')).toEqual({ held: true, epoch: 1 });
    });

    it('has one holder when many ask at once', async () => {
      const { acquire } = contested();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => acquire(`owner-${i}`)));
      expect(answers.filter(({ held }) => held)).toHaveLength(1);
    });
  });
}
