import type { Backlog } from '../core/partition-store.js';
import type { Entry } from '../core/partition.js';
import { compareIds } from './in-memory-log.js';
import type { InMemoryLog } from './in-memory-log.js';

/** How far one consumer group has come in one log. */
export class InMemoryGroup {
  /** How many entries have been delivered at least once. */
  private delivered = 0;
  private readonly pending = new Map<string, { readonly entry: Entry; deliveries: number }>();

  constructor(private readonly log: InMemoryLog) {}

  deliver(limit: number): readonly Entry[] {
    const entries = this.log.entries.slice(this.delivered, this.delivered + limit);
    this.delivered += entries.length;
    for (const entry of entries) this.pending.set(entry.id, { entry, deliveries: 1 });
    return entries;
  }

  redeliver(after: string, limit: number): readonly (Entry & { readonly deliveries: number })[] {
    return [...this.pending.values()]
      .filter(({ entry }) => compareIds(entry.id, after) > 0)
      .slice(0, limit)
      .map((delivery) => ({ ...delivery.entry, deliveries: ++delivery.deliveries }));
  }

  isPending(id: string): boolean {
    return this.pending.has(id);
  }

  acknowledge(id: string): void {
    this.pending.delete(id);
  }

  backlog(): Backlog {
    return { pending: this.pending.size, waiting: this.log.entries.length - this.delivered };
  }
}
