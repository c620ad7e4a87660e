import { randomUUID } from 'node:crypto';
import type { SubjectKeys } from '@millrace/broker';
import { afterAll, beforeAll, describe, expect, it } from './jest-globals.js';

/** What an adapter of {@link SubjectKeys} keeps to. */
export function describeSubjectKeys(name: string, open: () => SubjectKeys | Promise<SubjectKeys>): void {
  describe(`keys of data subjects: ${name}`, () => {
    let keys: SubjectKeys;
    beforeAll(async () => void (keys = await open()));
    afterAll(() => keys.close?.());

    it('are given back as they were kept, whatever the name of the subject', async () => {
      for (const subject of [randomUUID(), `ada ${randomUUID()} {*}\r\n\0`, `${randomUUID()}${'long'.repeat(500)}`]) {
        expect(await keys.get(subject)).toBeUndefined();
        expect(await keys.create(subject, '1.master.id.key')).toBe('1.master.id.key');
        expect(await keys.get(subject)).toBe('1.master.id.key');
      }
    });

    it('are kept once: who comes second gets the first one', async () => {
      const subject = randomUUID();
      const offered = Array.from({ length: 20 }, (_, i) => `key-${i}`);
      const kept = await Promise.all(offered.map((key) => keys.create(subject, key)));
      expect(new Set(kept).size).toBe(1);
      expect(offered).toContain(kept[0]);
      expect(await keys.get(subject)).toBe(kept[0]);
    });

    it('are gone once deleted, and then a subject gets another one', async () => {
      const subject = randomUUID();
      const other = randomUUID();
      await keys.create(subject, 'first');
      await keys.create(other, 'other');
      expect(await keys.delete(subject)).toBe(true);
      expect(await keys.delete(subject)).toBe(false);
      expect(await keys.get(subject)).toBeUndefined();
      expect(await keys.create(subject, 'second')).toBe('second');
      expect(await keys.get(other)).toBe('other');
    });
  });
}
