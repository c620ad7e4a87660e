/** A task's place among those that run at the same time. */
export interface Slot {
  /** Gives the place to another task for good; the key stays taken until the task has finished. */
  release(): void;
  /** Waits for a place again after it has been given away. */
  take(): Promise<void>;
  /** Gives the place away for the time of a wait. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
}

/** Answers with a promise unless it has finished already. Must not fail: what to do about a failure is its own affair. */
export type Task = (slot: Slot) => Promise<unknown> | undefined;

/**
 * Runs tasks concurrently, but those of one key one after the other in the order they came. Holds what waits in memory,
 * so its size is the caller's to bound.
 */
export class Dispatcher {
  /** Keys with a running task, and what waits behind it. */
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: (() => void)[] = [];
  /** Tasks that stood aside and want their place back. */
  private readonly returning: (() => void)[] = [];
  private accepted = 0;
  /** Tasks that have begun and not finished, and those of them that hold a place. */
  private begun = 0;
  private running = 0;
  private stopped = false;
  private readonly idle: (() => void)[] = [];
  private readonly roomier: { readonly size: number; readonly resolve: () => void }[] = [];

  /** @param concurrency tasks that run at the same time, at least 1 */
  constructor(private readonly concurrency: number) {}

  /** Tasks accepted and not finished. */
  get size(): number {
    return this.accepted;
  }

  /** Whether a task of this key would begin at once. */
  isFree(key: string): boolean {
    return this.running < this.concurrency && !this.stopped && !this.lanes.has(key);
  }

  add(key: string, task: Task): void {
    if (this.stopped) return;
    this.accepted++;
    const lane = this.lanes.get(key);
    if (lane) lane.push(task);
    else {
      this.lanes.set(key, []);
      if (this.running < this.concurrency) this.run(key, task);
      else this.ready.push(() => this.run(key, task));
    }
  }

  /** Resolves when fewer than `size` tasks are left. */
  async below(size: number): Promise<void> {
    if (this.accepted < size || this.stopped) return;
    await new Promise<void>((resolve) => this.roomier.push({ size, resolve }));
  }

  /** Forgets what has not begun, and resolves when what has begun is finished. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.accepted = this.begun;
    this.ready.length = 0;
    for (const lane of this.lanes.values()) lane.length = 0;
    for (const { resolve } of this.roomier.splice(0)) resolve();
    wake(this.returning);
    if (this.begun > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private run(key: string, task: Task): void {
    this.begun++;
    this.running++;
    const slot = new TakenSlot(this);
    const work = task(slot);
    if (work) void work.then(() => this.finished(key, slot));
    else this.finished(key, slot);
  }

  private finished(key: string, slot: TakenSlot): void {
    this.accepted--;
    this.begun--;
    const next = this.lanes.get(key)?.shift();
    if (next) this.ready.push(() => this.run(key, next));
    else this.lanes.delete(key);
    if (slot.held) this.give();
    else this.fill();
    while (this.roomier.length > 0 && this.accepted < this.roomier[0]!.size) this.roomier.shift()!.resolve();
    if (this.begun === 0 && this.stopped) wake(this.idle);
  }

  /** @internal for its slots */
  give(): void {
    this.running--;
    this.fill();
  }

  /** @internal for its slots */
  async takeBack(): Promise<void> {
    const take = (): void => void this.running++;
    if (this.running < this.concurrency || this.stopped) return take();
    await new Promise<void>((resolve) => this.returning.push(() => resolve(take())));
  }

  private fill(): void {
    while (this.running < this.concurrency && this.returning.length > 0) this.returning.shift()!();
    while (this.running < this.concurrency && this.ready.length > 0) this.ready.shift()!();
  }
}

class TakenSlot implements Slot {
  held = true;

  constructor(private readonly dispatcher: Dispatcher) {}

  release(): void {
    if (!this.held) return;
    this.held = false;
    this.dispatcher.give();
  }

  async take(): Promise<void> {
    if (this.held) return;
    await this.dispatcher.takeBack();
    this.held = true;
  }

  async aside<T>(wait: () => Promise<T>): Promise<T> {
    this.release();
    try {
      return await wait();
    } finally {
      await this.take();
    }
  }
}

function wake(waiters: (() => void)[]): void {
  for (const resolve of waiters.splice(0)) resolve();
}
