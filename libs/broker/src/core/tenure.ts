import type { PartitionStore } from './partition-store.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';
import { pause } from './pause.js';

/**
 * The right to do a work that one process does for all, partition by partition: leases kept under a name that no group has.
 * It saves double work and is no guard: a process that was suspended may believe for a moment that it still has it.
 */
export class Tenure {
  private readonly until = new Map<string, number>();
  private readonly epochs = new Map<string, number>();
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: PartitionStore,
    /** What is done. */
    private readonly name: string,
    private readonly owner: string,
    private readonly partitions: readonly Partition[],
    private readonly ttlMs: number,
  ) {}

  start(): void {
    this.loop = this.run();
  }

  holds(partition: Partition): boolean {
    return (this.until.get(addressOf(partition)) ?? 0) > performance.now();
  }

  /** Gives the right back, so that another process need not wait. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    for (const partition of this.partitions) {
      const epoch = this.epochs.get(addressOf(partition));
      this.until.delete(addressOf(partition));
      if (epoch !== undefined) {
        await this.store.releaseLease(partition, this.group, epoch).catch(() => undefined);
      }
    }
  }

  private get group(): string {
    return `~${this.name}`;
  }

  private async run(): Promise<void> {
    do {
      for (const partition of this.partitions) {
        if (this.stopping.signal.aborted) return;
        await this.take(partition).catch(() => undefined);
      }
    } while (await this.pause());
  }

  private async take(partition: Partition): Promise<void> {
    const asked = performance.now();
    const { owner, ttlMs, group } = this;
    const answer = await this.store.acquireLease({ partition, group, owner, ttlMs });
    if (!answer.held) return void this.until.delete(addressOf(partition));
    this.until.set(addressOf(partition), asked + ttlMs);
    this.epochs.set(addressOf(partition), answer.epoch);
  }

  /** False when it is over. */
  private pause(): Promise<boolean> {
    return pause(this.ttlMs / 3, this.stopping.signal);
  }
}
