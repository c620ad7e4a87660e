import type { Source } from '@millrace/broker';
import { refOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

export function describeConsumers(subject: Subject): void {
  async function inboxWith(...messages: string[]): Promise<Source> {
    const source = inboxOf(freshPartition());
    for (const message of messages) await subject().appendRaw(source, ['data', message]);
    return source;
  }

  const data = (entries: readonly { readonly fields: readonly string[] }[]) => entries.map(({ fields }) => fields[1]);

  async function read(source: Source, consumer: string, limit: number) {
    const reader = subject().store.openReader();
    const entries = await reader.readGroup('g', [source], limit, 0, consumer);
    await reader.close();
    return entries;
  }

  const pending = (source: Source, consumer: string) => subject().store.readPending(source, 'g', '0', 100, consumer);
  const claim = (source: Source, idleMs: number, limit = 100, cursor = '0-0') =>
    subject().store.claimIdle({ source, group: 'g', consumer: 'worker-9', idleMs, cursor, limit });

  describe('consumers of one group', () => {
    it('get different entries, and have each their own pending', async () => {
      const source = await inboxWith('a', 'b', 'c');
      expect(data(await read(source, 'worker-0', 2))).toEqual(['a', 'b']);
      expect(data(await read(source, 'worker-1', 2))).toEqual(['c']);
      expect(data(await pending(source, 'worker-0'))).toEqual(['a', 'b']);
      expect(data(await pending(source, 'worker-1'))).toEqual(['c']);
      expect(await subject().store.readPending(source, 'g', '0', 100)).toEqual([]);
    });

    it('take over what has been let lie for long enough, in order, step by step, and count one more delivery', async () => {
      const source = await inboxWith('a', 'b', 'c');
      await read(source, 'worker-0', 2);
      await read(source, 'worker-1', 1);
      expect(await claim(source, 60_000)).toEqual({ cursor: '0-0', entries: [] });
      const claimed: [string | undefined, number][] = [];
      for (let cursor = '0-0', steps = 0; ; steps++) {
        const step = await claim(source, 0, 1, cursor);
        for (const { fields, deliveries } of step.entries) claimed.push([fields[1], deliveries]);
        expect(step.entries.length).toBeLessThanOrEqual(1);
        cursor = step.cursor;
        if (cursor === '0-0') break;
        expect(steps).toBeLessThan(5);
      }
      expect(claimed.slice(0, 3)).toEqual([
        ['a', 2],
        ['b', 2],
        ['c', 2],
      ]);
      expect(await pending(source, 'worker-0')).toEqual([]);
      expect(data(await pending(source, 'worker-9'))).toEqual(['a', 'b', 'c']);
    });

    it('take over with what earlier attempts left behind', async () => {
      const source = await inboxWith('a');
      const [entry] = await read(source, 'worker-0', 1);
      const record = { attempts: 2, due: 5, first: 3, error: 'x' };
      const retry = { kind: 'retry', entry: refOf(entry!), group: 'g', record } as const;
      await subject().store.commit({ partition: source.partition, guards: [], writes: [retry] });
      expect((await claim(source, 0)).entries).toMatchObject([{ retry: record }]);
    });

    it('keep what they extend, as long as it is their own, and that counts no delivery', async () => {
      const source = await inboxWith('a', 'b', 'c');
      const { store } = subject();
      const [a, b] = await read(source, 'worker-0', 2);
      const [c] = await read(source, 'worker-1', 1);
      const since = performance.now();
      await waitUntil(async () => performance.now() - since > 60);
      await store.extend(source, 'g', 'worker-0', [a!.id, c!.id, '1-1']);
      const { entries } = await claim(source, 40);
      expect(data(entries)).toEqual(['b', 'c']);
      expect((await pending(source, 'worker-0')).map(({ id, deliveries }) => [id, deliveries])).toEqual([[a!.id, 2]]);
      expect(entries.map(({ id }) => id)).toEqual([b!.id, c!.id]);
    });

    it('are forgotten when they have not read for long, unless they have something pending', async () => {
      const source = await inboxWith('a', 'b');
      const { store } = subject();
      const [a] = await read(source, 'worker-0', 1);
      await read(source, 'worker-1', 1);
      await read(source, 'a-name-of-somebody-else', 1);
      await store.commit({
        partition: source.partition,
        guards: [{ kind: 'input', entry: refOf(a!), group: 'g' }],
        writes: [],
      });
      expect(await store.reapConsumers(source, 'g', 60_000)).toEqual([]);
      expect(await store.reapConsumers(source, 'g', 0)).toEqual(['worker-0']);
      expect(await store.reapConsumers(source, 'g', 0)).toEqual([]);
      expect(data(await pending(source, 'worker-1'))).toEqual(['b']);
    });

    it('that do not exist have nothing, nor has a group that does not', async () => {
      const source = await inboxWith('a');
      const { store } = subject();
      expect(await claim(source, 0)).toEqual({ cursor: '0-0', entries: [] });
      expect(await pending(source, 'worker-0')).toEqual([]);
      expect(await store.reapConsumers(source, 'g', 0)).toEqual([]);
      await store.extend(source, 'g', 'worker-0', ['1-1']);
      expect(await store.reapConsumers(inboxOf(freshPartition()), 'g', 0)).toEqual([]);
    });
  });
}
