import type { Entry } from '@millrace/broker';
import type { StoredEvent } from './stored-event.js';

/** What is known of a stream: its events from the first one, and the last one as it stands in the store. */
export interface KnownStream {
  readonly events: readonly StoredEvent[];
  readonly last: Entry;
}

/** Shorter streams are read again each time: there are many of them, and they would drive the long ones out. */
const SHORTEST = 16;

/**
 * Events of the most recently used long streams, so that an aggregate with thousands of events is loaded by reading its
 * news. What it holds can be outdated, never wrong: events do not change.
 */
export class EventCache {
  private readonly streams = new Map<string, KnownStream>();
  private size = 0;

  /** @param capacity events kept. Default 50000. */
  constructor(private readonly capacity = 50_000) {}

  get(stream: string): KnownStream | undefined {
    return this.streams.get(stream);
  }

  put(stream: string, known: KnownStream): void {
    this.forget(stream);
    if (known.events.length < SHORTEST || known.events.length > this.capacity) return;
    this.streams.set(stream, known);
    this.size += known.events.length;
    for (const [eldest] of this.streams) {
      if (this.size <= this.capacity) break;
      this.forget(eldest);
    }
  }

  forget(stream: string): void {
    this.size -= this.streams.get(stream)?.events.length ?? 0;
    this.streams.delete(stream);
  }
}
