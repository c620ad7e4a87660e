import { setTimeout as sleep } from 'node:timers/promises';
import type { Follower } from './follower.js';
import type { PartitionStore } from './partition-store.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';

const EVERY_MS = 60_000;

/** Tells the store from time to time that followers still live: those not seen for long are reported, and expire. */
export class Attendance {
  private readonly followers = new Map<string, { readonly partition: Partition; readonly all: Follower[] }>();
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly store: Pick<PartitionStore, 'register'>) {}

  add(partition: Partition, follower: Follower): void {
    const address = addressOf(partition);
    const known = this.followers.get(address) ?? { partition, all: [] };
    known.all.push(follower);
    this.followers.set(address, known);
  }

  /** Registers all that have been added, and again every minute. @throws what the store throws the first time */
  async start(): Promise<void> {
    await this.register();
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (await sleep(EVERY_MS, true, { signal: this.stopping.signal, ref: false }).catch(() => false)) {
      // The next minute is early enough.
      await this.register().catch(() => undefined);
    }
  }

  private async register(): Promise<void> {
    for (const { partition, all } of this.followers.values()) await this.store.register(partition, all);
  }
}
