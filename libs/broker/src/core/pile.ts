import type { Arrival } from './arrival.js';
import type { BatchHandler } from './batch.js';
import type { Dispatcher } from './dispatcher.js';
import type { Place } from './place.js';
import type { Slot, Work } from './work.js';

/** The messages of one partition that gather for one handler of batches. */
export class Pile implements Work {
  readonly bytes = 0;
  readonly limited = true;
  unloaded = false;
  private arrivals: Arrival[] = [];
  private queued = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param begin takes a batch and runs it */
  constructor(
    readonly key: string,
    readonly place: Place,
    private readonly batch: Pick<BatchHandler, 'size' | 'waitMs'>,
    private readonly dispatcher: Dispatcher,
    private readonly begin: (slot: Slot) => Promise<void>,
  ) {}

  /** How many the next batch can have. */
  get ready(): number {
    return Math.min(this.batch.size, this.arrivals.length);
  }

  add(arrival: Arrival): void {
    this.arrivals.push(arrival);
    this.grown();
  }

  /** Begins what there is, without waiting for more. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.queued || this.closed || this.arrivals.length === 0) return;
    this.queued = true;
    this.dispatcher.add(this);
  }

  /** Takes the first out. */
  take(count: number): readonly Arrival[] {
    return this.arrivals.splice(0, count);
  }

  /** Takes out what matches. */
  takeIf(matches: (arrival: Arrival) => boolean): readonly Arrival[] {
    const taken = this.arrivals.filter(matches);
    if (taken.length > 0) this.arrivals = this.arrivals.filter((arrival) => !taken.includes(arrival));
    return taken;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  run(slot: Slot): void {
    this.queued = false;
    void this.begin(slot).then(() => slot.end());
    if (this.arrivals.length > 0) this.grown();
  }

  unload(): void {
    // What it holds is counted where it came in.
  }

  discard(): void {
    this.queued = false;
  }

  private grown(): void {
    if (this.arrivals.length >= this.batch.size) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.batch.waitMs);
  }
}
