import type { Commit, CommitResult, Guard } from '@millrace/broker';
import { deliver, refOf, textOf } from './entries.js';
import { describe, expect, it } from './jest-globals.js';
import { freshPartition, inboxOf } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeConcurrentCommits(subject: Subject): void {
  function atOnce(count: number, commit: (i: number) => Commit): Promise<readonly CommitResult[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => subject().store.commit(commit(i))));
  }

  describe('many commits at once', () => {
    it('lets one of 100 with the same expected version win', async () => {
      const partition = freshPartition();
      const results = await atOnce(100, (i) => ({
        partition,
        guards: [{ kind: 'version', stream: 's', expected: 0 }],
        writes: [{ kind: 'append', stream: 's', events: [`from ${i}`] }],
      }));
      const winner = results.findIndex(({ status }) => status === 'committed');
      const refused = results.filter(({ status }) => status === 'refused');
      expect(refused).toHaveLength(99);
      expect(refused.every((r) => r.status === 'refused' && r.guard === 'version' && r.found === '1')).toBe(true);
      expect((await subject().store.readFeed(partition, 0, 200)).map(textOf)).toEqual([`from ${winner}`]);
    });

    it('commits one of 50 with the same command id and gives its result to the others', async () => {
      const partition = freshPartition();
      const results = await atOnce(50, (i) => ({
        partition,
        guards: [{ kind: 'command', id: 'c1', result: `result ${i}`, ttlMs: 60_000 }],
        writes: [{ kind: 'append', events: [`from ${i}`] }],
      }));
      const winner = results.findIndex(({ status }) => status === 'committed');
      const refusal: CommitResult = { status: 'refused', guard: 'command', found: `result ${winner}` };
      expect(results.filter((_, i) => i !== winner)).toEqual(Array.from({ length: 49 }, () => refusal));
      expect(await subject().store.head(partition)).toBe(1);
    });

    it('commits one of 20 with the same input', async () => {
      const partition = freshPartition();
      await subject().appendRaw(inboxOf(partition), ['data', 'a']);
      const [entry] = await deliver(subject(), inboxOf(partition), 'g');
      const input: Guard = { kind: 'input', entry: refOf(entry!), group: 'g' };
      const results = await atOnce(20, (i) => ({
        partition,
        guards: [input],
        writes: [{ kind: 'append', events: [`from ${i}`] }],
      }));
      expect(results.filter(({ status }) => status === 'committed')).toHaveLength(1);
      expect(await subject().store.head(partition)).toBe(1);
    });

    it('numbers what many write without gaps or doubles, and tells each writer its own positions', async () => {
      const partition = freshPartition();
      const results = await atOnce(100, (i) => ({
        partition,
        guards: [],
        writes: [{ kind: 'append', stream: `s${i % 7}`, events: [`${i}a`, `${i}b`] }],
      }));
      const feed = (await subject().store.readFeed(partition, 0, 1000)).map(textOf);
      expect(feed).toHaveLength(200);
      const told = results.map((result) => {
        const end = result.status === 'committed' ? result.appended[0]!.position : 0;
        return feed.slice(end - 2, end);
      });
      expect(told).toEqual(results.map((_, i) => [`${i}a`, `${i}b`]));
    });

    it('counts for an expected version what was sent before it, in the order in which it was sent', async () => {
      const partition = freshPartition();
      const versions = [0, 0, 2, 1, 2, 9] as const;
      const results = await atOnce(versions.length, (i) => ({
        partition,
        guards: [{ kind: 'version', stream: 's', expected: versions[i]! }],
        writes: [{ kind: 'append', stream: 's', category: 'c', events: [`${i}a`, `${i}b`] }],
      }));
      const refused = (found: string): CommitResult => ({ status: 'refused', guard: 'version', found });
      expect(results).toEqual([
        { status: 'committed', appended: [{ position: 2, version: 2 }] },
        refused('2'),
        { status: 'committed', appended: [{ position: 4, version: 4 }] },
        refused('4'),
        refused('4'),
        refused('4'),
      ]);
      expect((await subject().store.readFeed(partition, 0, 10)).map(textOf)).toEqual(['0a', '0b', '2a', '2b']);
      expect((await subject().store.readCategory(partition, 'c')).entries.map(textOf)).toEqual([
        '0a',
        '0b',
        '2a',
        '2b',
      ]);
    });

    it('lists appends to many streams under their categories, in the order of the feed of their partition', async () => {
      const partitions = [freshPartition(), freshPartition()];
      const categories = ['red', 'blue', undefined];
      await atOnce(90, (i) => ({
        partition: partitions[i % 2]!,
        guards: i % 5 === 0 ? [] : [{ kind: 'version', stream: `s-${i}`, expected: 'none' }],
        writes: [{ kind: 'append', stream: `s-${i}`, events: [`${i}`], ...inCategory(categories[i % 3]) }],
      }));
      for (const [index, partition] of partitions.entries()) {
        const own = Array.from({ length: 45 }, (_, i) => 2 * i + index);
        expect((await subject().store.readFeed(partition, 0, 100)).map(textOf).sort()).toEqual(own.map(String).sort());
        for (const [number, category] of categories.entries()) {
          if (category === undefined) continue;
          const { entries } = await subject().store.readCategory(partition, category);
          expect(entries.map(({ id }) => Number(id.slice(2)))).toEqual(
            entries.map(({ id }) => Number(id.slice(2))).sort((a, b) => a - b),
          );
          expect(entries.map(textOf).sort()).toEqual(
            own
              .filter((i) => i % 3 === number)
              .map(String)
              .sort(),
          );
        }
        for (const i of own) {
          expect((await subject().store.readStream(partition, `s-${i}`)).entries.map(textOf)).toEqual([`${i}`]);
        }
      }
    });

    it('refuses and commits each on its own, whatever was sent with it', async () => {
      const partition = freshPartition();
      const results = await atOnce(40, (i) => ({
        partition,
        guards: [{ kind: 'revision', state: `s${i}`, expected: i % 2 }],
        writes: [{ kind: 'put', state: `s${i}`, value: `${i}` }],
      }));
      expect(results.map(({ status }) => status)).toEqual(
        results.map((_, i) => (i % 2 === 0 ? 'committed' : 'refused')),
      );
    });
  });
}

function inCategory(category: string | undefined): { readonly category?: string } {
  return category === undefined ? {} : { category };
}
