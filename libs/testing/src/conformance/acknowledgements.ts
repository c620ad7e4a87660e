import type { Source } from '@millrace/broker';
import { deliver } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeAcknowledgements(subject: Subject): void {
  /** An inbox whose entries are delivered to group `g`, under a lease of epoch 1. */
  async function delivered(count: number): Promise<{ source: Source; ids: string[] }> {
    const source = inboxOf(freshPartition());
    for (let i = 0; i < count; i++) await subject().appendRaw(source, ['data', `${i}`]);
    const { store } = subject();
    await store.acquireLease({ partition: source.partition, group: 'g', owner: 'a', ttlMs: 60_000 });
    return { source, ids: (await deliver(subject(), source, 'g')).map(({ id }) => id) };
  }

  const pending = async (source: Source) =>
    (await subject().store.readPending(source, 'g', '0', 100)).map(({ id }) => id);

  describe('acknowledgements without a commit', () => {
    it('take entries of several logs at once, and leave the others pending', async () => {
      const [one, two] = [await delivered(3), await delivered(2)];
      const held = await subject().store.acknowledge([
        { source: one.source, group: 'g', epoch: 1, ids: one.ids.slice(0, 2) },
        { source: two.source, group: 'g', epoch: 1, ids: two.ids },
      ]);
      expect(held).toEqual([true, true]);
      expect(await pending(one.source)).toEqual(one.ids.slice(2));
      expect(await pending(two.source)).toEqual([]);
    });

    it('are refused to a lease of another epoch, alone among others', async () => {
      const [lost, kept] = [await delivered(1), await delivered(1)];
      const held = await subject().store.acknowledge([
        { source: lost.source, group: 'g', epoch: 2, ids: lost.ids },
        { source: kept.source, group: 'g', epoch: 1, ids: kept.ids },
      ]);
      expect(held).toEqual([false, true]);
      expect(await pending(lost.source)).toEqual(lost.ids);
      expect(await pending(kept.source)).toEqual([]);
    });

    it('ask for no lease where none is named', async () => {
      const { source, ids } = await delivered(1);
      expect(await subject().store.acknowledge([{ source, group: 'g', epoch: undefined, ids }])).toEqual([true]);
      expect(await pending(source)).toEqual([]);
    });

    it('may be repeated, and name entries that nobody knows', async () => {
      const { source, ids } = await delivered(2);
      const request = { source, group: 'g', epoch: 1, ids: [ids[0]!, '99999999999999-0'] };
      expect(await subject().store.acknowledge([request])).toEqual([true]);
      expect(await subject().store.acknowledge([request])).toEqual([true]);
      expect(await pending(source)).toEqual([ids[1]]);
    });

    it('may be many, or none', async () => {
      const { source, ids } = await delivered(1);
      const { store } = subject();
      expect(await store.acknowledge([{ source, group: 'g', epoch: 1, ids: [] }])).toEqual([true]);
      const unknown = Array.from({ length: 12_000 }, (_, i) => `1-${i}`);
      expect(await store.acknowledge([{ source, group: 'g', epoch: 1, ids: [...unknown, ...ids] }])).toEqual([true]);
      expect(await pending(source)).toEqual([]);
      expect(await store.acknowledge([])).toEqual([]);
    });
  });
}
