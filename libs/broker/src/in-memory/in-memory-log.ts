import type { Entry, Source } from '../core/partition.js';

/** An append-only log that tells its listeners of every new entry. */
export class InMemoryLog {
  readonly entries: Entry[] = [];
  private readonly listeners = new Set<() => void>();
  private lastMs = 0;
  private sequence = 0;

  constructor(readonly source: Source) {}

  append(fields: readonly string[], now: number): string {
    const id = this.source.log === 'feed' ? `0-${this.entries.length + 1}` : this.timeId(now);
    this.entries.push({ source: this.source, id, fields: [...fields] });
    for (const listener of [...this.listeners]) listener();
    return id;
  }

  /** Calls the listener at each append until the returned function is called. */
  onAppend(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ids grow even when the clock stands still or goes back. */
  private timeId(now: number): string {
    const later = now > this.lastMs;
    this.sequence = later ? 0 : this.sequence + 1;
    if (later) this.lastMs = now;
    return `${this.lastMs}-${this.sequence}`;
  }
}

/** Orders entry ids: negative, zero or positive. An id without its second half means the half is 0, as in Redis. */
export function compareIds(a: string, b: string): number {
  const [aMs = 0, aSequence = 0] = a.split('-').map(Number);
  const [bMs = 0, bSequence = 0] = b.split('-').map(Number);
  return aMs - bMs || aSequence - bSequence;
}
