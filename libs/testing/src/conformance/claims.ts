import { randomUUID } from 'node:crypto';
import { describe, expect, it } from './jest-globals.js';
import type { Subject } from './store-harness.js';
import { waitUntil } from './wait-until.js';

const LONG_MS = 60_000;

export function describeClaims(subject: Subject): void {
  describe('claims', () => {
    it('are given back as they were put, whatever their id', async () => {
      const { claims } = subject().store;
      for (const id of [randomUUID(), `/shop/${randomUUID()} {*}`, `${randomUUID()}${'long'.repeat(500)}`]) {
        await claims.put(id, 'grüße 🙂\r\n"{}"', LONG_MS);
        expect(await claims.get(id)).toBe('grüße 🙂\r\n"{}"');
      }
      expect(await claims.get(randomUUID())).toBeUndefined();
    });

    it('are gone when their time is over, which begins anew when they are put again', async () => {
      const { claims } = subject().store;
      const [short, renewed] = [randomUUID(), randomUUID()];
      await claims.put(short, 'a', 50);
      await claims.put(renewed, 'a', 50);
      await claims.put(renewed, 'b', LONG_MS);
      await waitUntil(async () => (await claims.get(short)) === undefined);
      expect(await claims.get(renewed)).toBe('b');
    });
  });
}
