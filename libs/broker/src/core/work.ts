/** A work's place among those that run at the same time. */
export interface Slot {
  /** Gives the place to another work for good; the key stays taken until the work has finished. */
  release(): void;
  /** Waits for a place again after it has been given away. */
  take(): Promise<void>;
  /** Gives the place away for the time of a wait. */
  aside<T>(wait: () => Promise<T>): Promise<T>;
  /**
   * As {@link aside}, for a long wait: the work and those behind it let go of what they hold and count no more, as far as
   * there may be more of those.
   */
  away<T>(wait: () => Promise<T>): Promise<T>;
  /** The work has finished, perhaps at once: its key and its place are free. */
  end(): void;
}

/** Something to do in the order of its key. */
export interface Work {
  readonly key: string;
  /** What it holds in memory while it waits. */
  readonly bytes: number;
  /** Whether it counts for the rate. */
  readonly limited: boolean;
  /** Set by the dispatcher when it asks the work to let go of what it holds. */
  unloaded: boolean;
  /** Ends its slot when it has finished. Must not fail: what to do about a failure is its own affair. */
  run(slot: Slot): void;
  /** Lets go of what it holds until it runs. */
  unload(): void;
  /** It will never run. */
  discard(): void;
}

/** Work that is a function, and keeps what it holds. */
export class Task implements Work {
  readonly limited = false;
  unloaded = false;

  constructor(
    readonly key: string,
    private readonly work: (slot: Slot) => Promise<unknown> | undefined,
    readonly bytes = 0,
  ) {}

  run(slot: Slot): void {
    const done = this.work(slot);
    if (done) void done.then(() => slot.end());
    else slot.end();
  }

  unload(): void {
    // It could not get it back.
  }

  discard(): void {
    // Nobody waits for it.
  }
}
