import type { TimerPage, TimerPlace, TimerQuery } from '../core/timer-store.js';
import { compareTimers } from '../core/timer.js';
import type { Timer } from '../core/timer.js';

/** The timers of one partition. */
export class InMemoryTimers {
  private readonly timers = new Map<string, Timer>();

  set(timer: Timer): void {
    this.timers.set(timer.id, timer);
  }

  cancel(id: string): void {
    this.timers.delete(id);
  }

  get(id: string): Timer | undefined {
    return this.timers.get(id);
  }

  get size(): number {
    return this.timers.size;
  }

  /** Those that are due, earliest first, and when the next one is. */
  due(
    now: number,
    limit: number,
    after?: TimerPlace,
  ): { readonly due: readonly Timer[]; readonly next: number | undefined } {
    const all = [...this.timers.values()].filter((timer) => !after || compareTimers(timer, after) > 0);
    const byDue = all.sort(compareTimers);
    const due = byDue.filter((timer) => timer.due <= now).slice(0, limit);
    return { due, next: byDue[due.length]?.due };
  }

  /** By id; the cursor is the last one of the page. */
  list({ prefix, limit, cursor = '' }: TimerQuery): TimerPage {
    const ids = [...this.timers.keys()].filter((id) => id.startsWith(prefix) && id > cursor).sort();
    const page = ids.slice(0, limit);
    return {
      timers: page.map((id) => this.timers.get(id)!),
      cursor: ids.length > limit ? page.at(-1) : undefined,
    };
  }
}
