interface Timer {
  readonly due: number;
  readonly message: string;
}

/** The timers of one partition. */
export class InMemoryTimers {
  private readonly timers = new Map<string, Timer>();

  set(id: string, due: number, message: string): void {
    this.timers.set(id, { due, message });
  }

  cancel(id: string): void {
    this.timers.delete(id);
  }

  /** Removes the timers that are due, earliest first, and returns their messages. */
  take(now: number, limit: number): readonly string[] {
    const due = [...this.timers]
      .filter(([, timer]) => timer.due <= now)
      .sort(([idA, a], [idB, b]) => a.due - b.due || (idA < idB ? -1 : 1))
      .slice(0, limit);
    for (const [id] of due) this.timers.delete(id);
    return due.map(([, timer]) => timer.message);
  }

  get size(): number {
    return this.timers.size;
  }

  next(): number | undefined {
    let next: number | undefined;
    for (const { due } of this.timers.values()) if (next === undefined || due < next) next = due;
    return next;
  }
}
