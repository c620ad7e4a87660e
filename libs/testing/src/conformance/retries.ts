import type { RetryRecord, Write } from '@millrace/broker';
import { deliver, refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

const RECORD: RetryRecord = { attempts: 2, due: 1_800_000_000_123, first: 1_800_000_000_000, error: 'no "answer"\n🙂' };

export function describeRetries(subject: Subject): void {
  async function delivered() {
    const partition = freshPartition();
    const source = inboxOf(partition);
    await subject().appendRaw(source, ['data', 'a']);
    await subject().appendRaw(source, ['data', 'b']);
    const [entry] = await deliver(subject(), source, 'g');
    return {
      entry: refOf(entry!),
      write: (...writes: Write[]) => subject().store.commit({ partition, guards: [], writes }),
      records: async (group = 'g') =>
        (await subject().store.readPending(source, group, '0', 10)).map(({ retry }) => retry),
      deliverTo: (group: string) => deliver(subject(), source, group),
    };
  }

  describe('retries', () => {
    it('are unknown of an entry that has not failed', async () => {
      const { records } = await delivered();
      expect(await records()).toEqual([undefined, undefined]);
    });

    it('are remembered with the pending entry, exactly', async () => {
      const { entry, write, records } = await delivered();
      await write({ kind: 'retry', entry, group: 'g', record: RECORD });
      expect(await records()).toEqual([RECORD, undefined]);
    });

    it('are replaced by the next failure', async () => {
      const { entry, write, records } = await delivered();
      await write({ kind: 'retry', entry, group: 'g', record: RECORD });
      await write({ kind: 'retry', entry, group: 'g', record: { ...RECORD, attempts: 3 } });
      expect(await records()).toEqual([{ ...RECORD, attempts: 3 }, undefined]);
    });

    it('are forgotten when told so', async () => {
      const { entry, write, records } = await delivered();
      await write({ kind: 'retry', entry, group: 'g', record: RECORD });
      await write({ kind: 'clear-retry', entry, group: 'g' });
      expect(await records()).toEqual([undefined, undefined]);
    });

    it('belong to one group', async () => {
      const { entry, write, records, deliverTo } = await delivered();
      await deliverTo('h');
      await write({ kind: 'retry', entry, group: 'g', record: RECORD });
      expect(await records('h')).toEqual([undefined, undefined]);
    });
  });
}
