import type { Entry } from '@millrace/broker';
import type { Snapshot } from './snapshot.js';
import type { StoredEvent } from './stored-event.js';

/** What is known of a stream: its events from the first one, or from behind a snapshot, and the last as it stands in the store. */
export interface KnownStream {
  readonly snapshot: Snapshot | undefined;
  readonly events: readonly StoredEvent[];
  readonly last: Entry;
}

/** Shorter streams are read again each time: there are many of them, and they would drive the long ones out. */
const SHORTEST = 16;

/** Characters of a snapshot that count as one event. */
const PER_EVENT = 256;

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
    const size = sizeOf(known);
    if ((known.events.length < SHORTEST && !known.snapshot) || size > this.capacity) return;
    this.streams.set(stream, known);
    this.size += size;
    for (const [eldest] of this.streams) {
      if (this.size <= this.capacity) break;
      this.forget(eldest);
    }
  }

  forget(stream: string): void {
    const known = this.streams.get(stream);
    if (!known) return;
    this.size -= sizeOf(known);
    this.streams.delete(stream);
  }
}

function sizeOf({ snapshot, events }: KnownStream): number {
  return events.length + (snapshot ? Math.ceil(snapshot.text.length / PER_EVENT) : 0);
}
