import { isWorker } from '../core/consumer-names.js';
import type { Backlog } from '../core/group-store.js';
import type { Entry } from '../core/partition.js';
import { compareIds } from '../core/entry-id.js';
import type { InMemoryLog } from './in-memory-log.js';

interface Pending {
  readonly entry: Entry;
  deliveries: number;
  at: number;
  consumer: string;
}

type Redelivered = Entry & { readonly deliveries: number };

/** How far one consumer group has come in one log. */
export class InMemoryGroup {
  /** How many of the entries ever appended have been delivered at least once, or trimmed. */
  private delivered = 0;
  /** Id of the last entry delivered. */
  position = '0-0';
  /** When it was read or registered last, ms since 1970. */
  seen = 0;
  private readonly pending = new Map<string, Pending>();
  /** When a consumer read last. */
  private readonly consumers = new Map<string, number>();

  constructor(
    readonly log: InMemoryLog,
    readonly name: string,
  ) {}

  deliver(limit: number, now: number, consumer: string): readonly Entry[] {
    this.consumers.set(consumer, now);
    const entries = this.log.after(this.delivered, limit);
    this.position = entries.at(-1)?.id ?? this.position;
    this.delivered = Math.max(this.delivered, this.log.trimmed) + entries.length;
    for (const entry of entries) this.pending.set(entry.id, { entry, deliveries: 1, at: now, consumer });
    return entries;
  }

  redeliver(after: string, limit: number, now: number, consumer: string): readonly Redelivered[] {
    return [...this.pending.values()]
      .filter((delivery) => delivery.consumer === consumer && compareIds(delivery.entry.id, after) > 0)
      .slice(0, limit)
      .map((delivery) => again(delivery, now));
  }

  /** What nobody has been given since `before`, from an id on, and the id to look from next. */
  claim(
    from: string,
    limit: number,
    before: number,
    now: number,
    consumer: string,
  ): { readonly entries: readonly Redelivered[]; readonly next: string | undefined } {
    this.consumers.set(consumer, now);
    const idle = [...this.pending.values()].filter(({ entry, at }) => at <= before && compareIds(entry.id, from) >= 0);
    const entries = idle.slice(0, limit).map((delivery) => again(Object.assign(delivery, { consumer }), now));
    return { entries, next: idle[limit]?.entry.id };
  }

  extend(ids: readonly string[], now: number, consumer: string): void {
    for (const id of ids) {
      const delivery = this.pending.get(id);
      if (delivery?.consumer === consumer) delivery.at = now;
    }
  }

  /** Forgets consumers that have not read since `before` and have nothing pending. */
  reap(before: number): readonly string[] {
    const busy = new Set([...this.pending.values()].map(({ consumer }) => consumer));
    const idle = [...this.consumers].filter(([name, at]) => isWorker(name) && at <= before && !busy.has(name));
    for (const [name] of idle) this.consumers.delete(name);
    return idle.map(([name]) => name);
  }

  pendingIds(after: string, limit: number): readonly string[] {
    return [...this.pending.keys()].filter((id) => compareIds(id, after) > 0).slice(0, limit);
  }

  isPending(id: string): boolean {
    return this.pending.has(id);
  }

  acknowledge(id: string): void {
    this.pending.delete(id);
  }

  backlog(): Backlog {
    return { pending: this.pending.size, waiting: this.log.after(this.delivered).length };
  }

  get oldestPending(): { readonly id: string; readonly at: number } | undefined {
    const oldest = this.pending.values().next().value;
    return oldest && { id: oldest.entry.id, at: oldest.at };
  }

  /** The first entry that is not acknowledged; undefined when all are. */
  get firstOpen(): Entry | undefined {
    // Redelivery keeps the order of the map, and groups that come back are filled in order.
    return this.pending.values().next().value?.entry ?? this.log.after(this.delivered, 1)[0];
  }

  /** Takes up its place after it had expired: forgets what has been trimmed meanwhile. True when that was anything. */
  resume(): boolean {
    const lost = [...this.pending.keys()].filter((id) => !this.log.entries.some((entry) => entry.id === id));
    for (const id of lost) this.pending.delete(id);
    return lost.length > 0 || this.log.trimmed > this.delivered;
  }
}

function again(delivery: Pending, now: number): Redelivered {
  delivery.at = now;
  return { ...delivery.entry, deliveries: ++delivery.deliveries };
}
