/**
 * Runs tasks concurrently, but those of one key one after the other in the order they came. Holds what waits in memory,
 * so its size is the caller's to bound.
 */
export class Dispatcher {
  /** Keys with a running task, and what waits behind it. */
  private readonly lanes = new Map<string, (() => Promise<void>)[]>();
  private readonly ready: (() => void)[] = [];
  /** Tasks that stood aside and want their slot back. */
  private readonly returning: (() => void)[] = [];
  private running = 0;
  private waiting = 0;
  private aside = 0;
  private stopped = false;
  private idle: (() => void)[] = [];
  private roomier: (() => void)[] = [];

  /** @param concurrency tasks that run at the same time, at least 1 */
  constructor(private readonly concurrency: number) {}

  /** Tasks accepted and not finished. */
  get size(): number {
    return this.running + this.waiting + this.aside;
  }

  /** Tasks must not reject: what to do about a failure is their own affair. */
  add(key: string, task: () => Promise<void>): void {
    if (this.stopped) return;
    this.waiting++;
    const lane = this.lanes.get(key);
    if (lane) lane.push(task);
    else {
      this.lanes.set(key, []);
      this.start(key, task);
    }
  }

  /** Lets others run while a running task only waits; its key stays taken. */
  async standAside<T>(wait: () => Promise<T>): Promise<T> {
    this.running--;
    this.aside++;
    this.fill();
    try {
      return await wait();
    } finally {
      const full = this.running >= this.concurrency && !this.stopped;
      if (full) await new Promise<void>((resolve) => this.returning.push(() => resolve(this.comeBack())));
      else this.comeBack();
    }
  }

  /** Resolves when fewer than `size` tasks are left. */
  async below(size: number): Promise<void> {
    while (this.size >= size && !this.stopped) await new Promise<void>((resolve) => this.roomier.push(resolve));
  }

  /** Forgets what has not begun, and resolves when what runs has finished. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting = 0;
    this.ready.length = 0;
    for (const lane of this.lanes.values()) lane.length = 0;
    this.wake(this.roomier);
    this.wake(this.returning);
    if (this.running + this.aside > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private start(key: string, task: () => Promise<void>): void {
    if (this.running >= this.concurrency) {
      this.ready.push(() => this.run(key, task));
    } else this.run(key, task);
  }

  private run(key: string, task: () => Promise<void>): void {
    this.running++;
    this.waiting--;
    void task().then(() => this.finished(key));
  }

  private finished(key: string): void {
    this.running--;
    const lane = this.lanes.get(key);
    const next = lane?.shift();
    if (next) this.ready.push(() => this.run(key, next));
    else this.lanes.delete(key);
    this.fill();
    if (this.roomier.length > 0) this.wake(this.roomier);
    if (this.running + this.aside === 0 && this.stopped) this.wake(this.idle);
  }

  private comeBack(): void {
    this.running++;
    this.aside--;
  }

  private fill(): void {
    for (const queue of [this.returning, this.ready]) {
      while (this.running < this.concurrency && queue.length > 0) queue.shift()!();
    }
  }

  private wake(waiters: (() => void)[]): void {
    for (const resolve of waiters.splice(0)) resolve();
  }
}
