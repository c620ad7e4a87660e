import { describe, expect, it } from './jest-globals.js';
import { freshContext } from './store-harness.js';
import type { Subject } from './store-harness.js';

export function describeContexts(subject: Subject): void {
  describe('contexts', () => {
    it('has as many partitions as declared', async () => {
      const { store } = subject();
      const context = freshContext();
      expect(await store.declareContext(context, 3)).toBe(3);
      expect(await store.partitionsOf(context, 1)).toBe(3);
    });

    it('is found once it has been declared', async () => {
      const { store } = subject();
      const context = freshContext();
      expect(await store.findContext(context)).toBeUndefined();
      await store.declareContext(context, 3);
      expect(await store.findContext(context)).toBe(3);
    });

    it('keeps its first number of partitions', async () => {
      const { store } = subject();
      const context = freshContext();
      await store.declareContext(context, 2);
      expect(await store.declareContext(context, 8)).toBe(2);
    });

    it('is created with the fallback when somebody asks before it is declared', async () => {
      const { store } = subject();
      const context = freshContext();
      expect(await store.partitionsOf(context, 4)).toBe(4);
      expect(await store.declareContext(context, 2)).toBe(4);
    });

    it('gets one number when many declare it at once', async () => {
      const { store } = subject();
      const context = freshContext();
      const counts = await Promise.all(Array.from({ length: 10 }, (_, i) => store.declareContext(context, i + 1)));
      expect(new Set(counts).size).toBe(1);
    });
  });
}
