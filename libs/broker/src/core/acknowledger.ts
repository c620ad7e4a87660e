import type { Logger } from './logger.js';
import type { Entry, Source } from './partition.js';
import type { Acknowledgement } from './group-store.js';
import type { PartitionStore } from './partition-store.js';
import { pause } from './pause.js';

interface Gathered extends Acknowledgement {
  readonly ids: string[];
}

/** Who wants to know what is under way for a log. */
export interface AcknowledgementWatcher {
  /** Entries of this log wait for their acknowledgement from now on. */
  begun(source: Source): void;
  /** They wait no more. `held` is false when the lease turned out to be another's, undefined when they were given up. */
  ended(source: Source, epoch: number | undefined, held: boolean | undefined): void;
}

const RETRY_MS = 50;

/**
 * Gathers the entries about which nothing was decided but that they are done, and acknowledges them together.
 * Acknowledging twice changes nothing, so it is repeated for as long as the store is away.
 *
 * What comes later of the same key may be handled meanwhile: this turn's acknowledgements leave before its commits, and
 * while one has failed, commits wait. So no entry is handled again after the commit of a later one.
 */
export class Acknowledger {
  /** What this turn has gathered, by source. */
  private open = new Map<Source, Gathered>();
  private gathering: Gathered[] = [];
  private readonly underway = new Set<Gathered>();
  private readonly repeating = new Set<Promise<unknown>>();
  private readonly waiters: { readonly size: number; readonly resolve: () => void }[] = [];

  /**
   * @param stopping aborted when a store that is away is no longer waited for: what is left stays pending
   */
  constructor(
    private readonly store: Pick<PartitionStore, 'acknowledge'>,
    private readonly group: string,
    private readonly logger: Logger,
    private readonly stopping: AbortSignal,
    private readonly watcher: AcknowledgementWatcher,
  ) {}

  /** Entries handed in and not yet answered for. */
  size = 0;

  /** @param epoch of the lease the entry was read under; undefined where no lease is needed */
  add(entry: Entry, epoch: number | undefined): void {
    const { source } = entry;
    let gathered = this.open.get(source);
    if (!gathered || gathered.epoch !== epoch) {
      gathered = { source, group: this.group, epoch, ids: [] };
      this.open.set(source, gathered);
      this.gathering.push(gathered);
      this.watcher.begun(source);
      if (this.gathering.length === 1) process.nextTick(() => void this.flush());
    }
    gathered.ids.push(entry.id);
    this.size++;
  }

  /** Resolves when no acknowledgement has to be repeated; undefined: none has. */
  get certain(): Promise<unknown> | undefined {
    return this.repeating.size === 0 ? undefined : Promise.all(this.repeating);
  }

  /** What has been handed in for a log and not yet answered for. */
  waitingFor(source: Source): readonly Acknowledgement[] {
    return [...this.gathering, ...this.underway].filter((gathered) => isSame(gathered.source, source));
  }

  /** Resolves when fewer than `size` entries wait for their acknowledgement. */
  async below(size: number): Promise<void> {
    if (this.size >= size) await new Promise<void>((resolve) => this.waiters.push({ size, resolve }));
  }

  private async flush(): Promise<void> {
    const batch = this.gathering;
    this.gathering = [];
    this.open = new Map();
    for (const gathered of batch) this.underway.add(gathered);
    const held = await this.persist(batch);
    batch.forEach((gathered, i) => {
      this.underway.delete(gathered);
      this.size -= gathered.ids.length;
      this.watcher.ended(gathered.source, gathered.epoch, held[i]);
    });
    for (const waiter of this.waiters.splice(0)) {
      if (this.size < waiter.size) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }

  private async persist(batch: readonly Gathered[]): Promise<readonly boolean[]> {
    try {
      return await this.store.acknowledge(batch);
    } catch (error) {
      this.logger.warn(`${this.group}: ${(error as Error).message}; acknowledging again`);
    }
    const repeating = this.repeat(batch);
    this.repeating.add(repeating);
    return repeating.finally(() => this.repeating.delete(repeating));
  }

  /** Answers with nothing when it is no longer waited for. */
  private async repeat(batch: readonly Gathered[]): Promise<readonly boolean[]> {
    for (;;) {
      if (!(await pause(RETRY_MS, this.stopping))) return [];
      try {
        return await this.store.acknowledge(batch);
      } catch {
        // Said once; it is tried until it works or nobody waits.
      }
    }
  }
}

function isSame(a: Source, b: Source): boolean {
  return a.log === b.log && a.partition.index === b.partition.index && a.partition.context === b.partition.context;
}
