import type { RateGate } from './rate-gate.js';
import type { Slot, Work } from './work.js';

interface Returning {
  readonly work: Work;
  readonly resolve: () => void;
}

/**
 * Runs works concurrently, but those of one key one after the other in the order they came. Holds what waits in memory,
 * so its size is the caller's to bound.
 */
export class Dispatcher {
  /** Keys with a running work, and what waits behind it. */
  private readonly lanes = new Map<string, Work[]>();
  /** Keys whose work waits for long: what comes behind it need not be in memory. */
  private readonly absent = new Set<string>();
  private readonly ready: Work[] = [];
  /** Ready, but for the rate. */
  private readonly limited: Work[] = [];
  /** Works that stood aside and want their place back. */
  private readonly returning: Returning[] = [];
  private loaded = 0;
  private loadedBytes = 0;
  private away = 0;
  /** Works that have begun and not finished, and those of them that hold a place. */
  private begun = 0;
  private running = 0;
  private filling = false;
  private paused = false;
  private stopped = false;
  private later: NodeJS.Timeout | undefined;
  private readonly idle: (() => void)[] = [];
  private roomier: { readonly size: number; readonly bytes: number; readonly resolve: () => void } | undefined;

  /**
   * @param concurrency works that run at the same time, at least 1
   * @param gate how many of the limited ones may begin
   * @param mostUnloaded works that wait without holding anything, at most
   */
  constructor(
    private readonly concurrency: number,
    private readonly gate?: RateGate,
    private readonly mostUnloaded = Infinity,
  ) {}

  /** Works accepted and not finished, without those that were unloaded. */
  get size(): number {
    return this.loaded;
  }

  /** Bytes of the works in `size`. */
  get bytes(): number {
    return this.loadedBytes;
  }

  /** Works that wait without holding anything but their place in the order. */
  get unloaded(): number {
    return this.away;
  }

  /** Whether more could run than there is. */
  get isHungry(): boolean {
    return this.running < this.concurrency && this.limited.length === 0 && !this.paused;
  }

  /** Whether works begin at all. */
  get isOpen(): boolean {
    return !this.paused && !this.stopped;
  }

  /** Whether a work of this key would begin at once. With a rate none does. */
  isFree(key: string): boolean {
    return this.running < this.concurrency && !this.gate && this.isOpen && !this.lanes.has(key);
  }

  add(work: Work): void {
    if (this.stopped) return;
    this.loaded++;
    this.loadedBytes += work.bytes;
    const lane = this.lanes.get(work.key);
    if (lane) {
      lane.push(work);
      if (this.absent.has(work.key)) this.letGo(work);
      return;
    }
    this.lanes.set(work.key, []);
    if (this.gate && work.limited) this.limited.push(work);
    else if (this.running < this.concurrency && !this.paused) return this.run(work);
    else this.ready.push(work);
    if (this.gate) this.fill();
  }

  hasRoom(size: number, bytes: number): boolean {
    return (this.loaded < size && this.loadedBytes < bytes) || this.stopped;
  }

  /** Resolves when fewer than `size` works with less than so many bytes are left, or when that takes too long. One waits at a time. */
  async below(size: number, bytes = Infinity, withinMs?: number): Promise<void> {
    if (this.hasRoom(size, bytes)) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.roomier = { size, bytes, resolve };
      if (withinMs !== undefined) timer = setTimeout(resolve, withinMs);
    });
    clearTimeout(timer);
    this.roomier = undefined;
  }

  /** Unloads what waits behind more than so many others of its key. */
  unload(keep: number): void {
    for (const lane of this.lanes.values()) {
      for (let i = lane.length - 1; i >= keep && !lane[i]!.unloaded; i--) this.letGo(lane[i]!);
    }
  }

  /** Unless there are too many of those. One that has been read again may let go again. */
  private letGo(work: Work): void {
    if (!work.unloaded) {
      if (this.away >= this.mostUnloaded) return;
      work.unloaded = true;
      this.loaded--;
      this.loadedBytes -= work.bytes;
      this.away++;
    }
    work.unload();
  }

  /** Begins nothing until it is resumed. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.fill();
  }

  /** Discards what has not begun, and calls back what waits to go on, which may give up then. */
  discard(matches: (work: Work) => boolean): void {
    const dropped: Work[] = [];
    for (const [key, lane] of this.lanes) this.lanes.set(key, keepOthers(lane, matches, dropped));
    for (const queue of [this.ready, this.limited]) {
      const heads: Work[] = [];
      queue.splice(0, queue.length, ...keepOthers(queue, matches, heads));
      for (const head of heads) {
        dropped.push(head);
        this.next(head.key);
      }
    }
    for (const { work, resolve } of this.returning.splice(0)) {
      if (matches(work)) {
        this.running++;
        resolve();
      } else this.returning.push({ work, resolve });
    }
    for (const work of dropped) {
      this.forget(work);
      work.discard();
    }
    this.fill();
  }

  /** Forgets what has not begun, and resolves when what has begun is finished. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.later);
    this.ready.length = 0;
    this.limited.length = 0;
    for (const lane of this.lanes.values()) lane.length = 0;
    this.roomier?.resolve();
    for (const { resolve } of this.returning.splice(0)) {
      this.running++;
      resolve();
    }
    if (this.begun > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private run(work: Work): void {
    this.begun++;
    this.running++;
    work.run(new TakenSlot(this, work));
  }

  /** @internal for its slots */
  finished(work: Work, held: boolean): void {
    this.begun--;
    this.forget(work);
    this.next(work.key);
    if (held) this.running--;
    this.fill();
    this.tellRoom();
    if (this.begun === 0 && this.stopped) for (const resolve of this.idle.splice(0)) resolve();
  }

  private tellRoom(): void {
    const { roomier } = this;
    if (roomier && this.hasRoom(roomier.size, roomier.bytes)) roomier.resolve();
  }

  private forget(work: Work): void {
    if (work.unloaded) this.away--;
    else {
      this.loaded--;
      this.loadedBytes -= work.bytes;
    }
  }

  private next(key: string): void {
    const work = this.lanes.get(key)?.shift();
    if (!work) this.lanes.delete(key);
    else if (this.gate && work.limited) this.limited.push(work);
    else this.ready.push(work);
  }

  /** @internal for its slots */
  give(): void {
    this.running--;
    this.fill();
  }

  /** @internal for its slots */
  goAway(work: Work): void {
    this.absent.add(work.key);
    this.letGo(work);
    for (const behind of this.lanes.get(work.key) ?? []) if (!behind.unloaded) this.letGo(behind);
    this.tellRoom();
  }

  /** @internal for its slots */
  comeBack({ key }: Work): void {
    this.absent.delete(key);
  }

  /** @internal for its slots */
  async takeBack(work: Work): Promise<void> {
    if ((this.running < this.concurrency && !this.paused) || this.stopped) return void this.running++;
    await new Promise<void>((resolve) => this.returning.push({ work, resolve }));
  }

  /** Begins what may begin. Not by recursion: a work may be finished at once, and so may thousands after it. */
  private fill(): void {
    if (this.filling || this.paused) return;
    this.filling = true;
    while (this.running < this.concurrency) {
      const back = this.returning.shift();
      if (back) {
        this.running++;
        back.resolve();
        continue;
      }
      const work = this.ready.shift() ?? this.nextWithinRate();
      if (!work) break;
      this.run(work);
    }
    this.filling = false;
  }

  private nextWithinRate(): Work | undefined {
    if (this.limited.length === 0 || this.later) return undefined;
    const waitMs = this.gate!.pass();
    if (waitMs === 0) return this.limited.shift();
    this.later = setTimeout(() => {
      this.later = undefined;
      this.fill();
    }, waitMs);
    return undefined;
  }
}

class TakenSlot implements Slot {
  held = true;

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly work: Work,
  ) {}

  release(): void {
    if (!this.held) return;
    this.held = false;
    this.dispatcher.give();
  }

  async take(): Promise<void> {
    if (this.held) return;
    await this.dispatcher.takeBack(this.work);
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

  away<T>(wait: () => Promise<T>): Promise<T> {
    this.dispatcher.goAway(this.work);
    return this.aside(() => wait().finally(() => this.dispatcher.comeBack(this.work)));
  }

  end(): void {
    this.dispatcher.finished(this.work, this.held);
  }
}

/** The works that do not match; those that do go to `others`. */
function keepOthers(works: readonly Work[], matches: (work: Work) => boolean, others: Work[]): Work[] {
  return works.filter((work) => {
    const matching = matches(work);
    if (matching) others.push(work);
    return !matching;
  });
}
