import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';

/** How long a message may wait whose process died between its commit and its delivery, ms. */
const TICK_MS = 500;

/**
 * Delivers what waits in outboxes. Who commits delivers at once; this is for what a process that died has left. Any number of
 * processes may run it.
 */
export class RelayLoop {
  private readonly abort = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly relay: (partition: Partition) => Promise<number>,
    private readonly logger: Logger,
  ) {}

  start(partitions: readonly Partition[]): void {
    this.loop = this.run(partitions);
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.loop;
  }

  private async run(partitions: readonly Partition[]): Promise<void> {
    while (!this.abort.signal.aborted) {
      for (const partition of partitions) {
        if (this.abort.signal.aborted) return;
        await this.relay(partition).catch((error: unknown) =>
          this.logger.warn(`outbox of ${addressOf(partition)}: ${(error as Error).message}`),
        );
      }
      await sleep(TICK_MS, undefined, { signal: this.abort.signal }).catch(() => undefined);
    }
  }
}
