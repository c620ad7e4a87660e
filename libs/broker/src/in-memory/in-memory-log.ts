import { compareIds } from '../core/entry-id.js';
import type { Entry, Source } from '../core/partition.js';

/** An append-only log that tells its listeners of every new entry, and forgets its oldest when asked. */
export class InMemoryLog {
  /** Entries ever appended; in a feed the position of the last one. */
  length = 0;
  private stored: Entry[] = [];
  private readonly listeners = new Set<() => void>();
  private lastMs = 0;
  private sequence = 0;

  constructor(readonly source: Source) {}

  /** What has not been trimmed. */
  get entries(): readonly Entry[] {
    return this.stored;
  }

  /** Entries trimmed so far. */
  get trimmed(): number {
    return this.length - this.stored.length;
  }

  /** The entries after the n-th that was ever appended. */
  after(n: number, limit = Infinity): readonly Entry[] {
    const begin = Math.max(0, n - this.trimmed);
    return this.stored.slice(begin, begin + limit);
  }

  /** The entries before the n-th that was ever appended, newest first. */
  before(n: number, limit = Infinity): readonly Entry[] {
    const end = Math.min(Math.max(0, n - 1 - this.trimmed), this.stored.length);
    return this.stored.slice(Math.max(0, end - limit), end).reverse();
  }

  append(fields: readonly string[], now: number): string {
    const id = this.source.log === 'feed' ? `0-${this.length + 1}` : this.timeId(now);
    this.length++;
    this.stored.push({ source: this.source, id, fields: [...fields] });
    for (const listener of [...this.listeners]) listener();
    return id;
  }

  /** Puts an event back that comes next, or that is the first. Everything before it counts as trimmed. */
  restore(position: number, fields: readonly string[]): void {
    this.length = position - 1;
    this.append(fields, 0);
  }

  /** How many of the stored entries come before this id, or have it. */
  countUpTo(id: string): number {
    const behind = this.stored.findIndex((entry) => compareIds(entry.id, id) > 0);
    return behind < 0 ? this.stored.length : behind;
  }

  /** An id behind every entry. */
  nextId(): string {
    return this.source.log === 'feed' ? `0-${this.length + 1}` : `${this.lastMs}-${this.sequence + 1}`;
  }

  /** Forgets the oldest entries. */
  trim(count: number): void {
    this.stored = this.stored.slice(count);
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
