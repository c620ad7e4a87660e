import { describe, expect, it } from './jest-globals.js';
import { freshPartition } from './store-harness.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

export function describeMembers(subject: Subject): void {
  function group(partition = freshPartition()) {
    const { store } = subject();
    return {
      partition,
      attend: (owner: string, ttlMs = 60_000, name = 'g') => store.attend({ partition, group: name, owner, ttlMs }),
      leave: (owner: string) => store.leave(partition, 'g', owner),
    };
  }

  describe('members of a group', () => {
    it('are all who attend, each once, sorted for everyone', async () => {
      const { attend } = group();
      expect(await attend('b')).toEqual(['b']);
      expect(await attend('c')).toEqual(['b', 'c']);
      expect(await attend('a')).toEqual(['a', 'b', 'c']);
      expect(await attend('b')).toEqual(['a', 'b', 'c']);
    });

    it('are no longer those who have not attended within their time', async () => {
      const { attend } = group();
      await attend('a', 40);
      await attend('b');
      await waitUntil(async () => (await attend('c')).join() === 'b,c');
      expect(await attend('a')).toEqual(['a', 'b', 'c']);
    });

    it('are no longer those who left, and leaving twice is none', async () => {
      const { attend, leave } = group();
      await attend('a');
      await attend('b');
      await leave('a');
      await leave('a');
      expect(await attend('b')).toEqual(['b']);
    });

    it('are separate for each group and each partition', async () => {
      const { attend, partition } = group();
      await attend('a');
      expect(await attend('b', 60_000, 'h')).toEqual(['b']);
      expect(await group({ ...partition, index: 1 }).attend('c')).toEqual(['c']);
    });

    it('see each other when many come at once', async () => {
      const { attend } = group();
      const names = Array.from({ length: 20 }, (_, i) => `m${`${i}`.padStart(2, '0')}`);
      await Promise.all(names.map((name) => attend(name)));
      expect(await attend('m00')).toEqual(names);
    });
  });
}
