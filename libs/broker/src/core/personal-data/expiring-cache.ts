/** Values that are forgotten after a time; the least recently written ones sooner when there are too many. */
export class ExpiringCache<V> {
  private readonly entries = new Map<string, { readonly value: V; readonly until: number }>();

  /**
   * @param ttlMs how long a value is known
   * @param now ms, of a clock that never goes back
   */
  constructor(
    private readonly capacity: number,
    private readonly ttlMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    if (entry.until > this.now()) return entry.value;
    this.entries.delete(key);
    return undefined;
  }

  /** @param since when the value was asked for: its time counts from then. Default now. */
  put(key: string, value: V, since = this.now()): void {
    this.entries.delete(key);
    this.entries.set(key, { value, until: since + this.ttlMs });
    if (this.entries.size <= this.capacity) return;
    for (const [eldest] of this.entries) {
      this.entries.delete(eldest);
      return;
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  get size(): number {
    return this.entries.size;
  }
}
