import type { ClaimStore } from './claim-store.js';

/** Claims of one process, for tests. */
export class InMemoryClaimStore implements ClaimStore {
  private readonly claims = new Map<string, { readonly text: string; readonly until: number }>();

  /** @param now the time, ms since 1970 */
  constructor(private readonly now: () => number = Date.now) {}

  put(id: string, text: string, ttlMs: number): Promise<void> {
    for (const [old, { until }] of this.claims) if (until <= this.now()) this.claims.delete(old);
    this.claims.set(id, { text, until: this.now() + ttlMs });
    return Promise.resolve();
  }

  get(id: string): Promise<string | undefined> {
    const claim = this.claims.get(id);
    return Promise.resolve(claim && claim.until > this.now() ? claim.text : undefined);
  }

  /** Claims kept, expired ones included until something is put. */
  get size(): number {
    return this.claims.size;
  }
}
