import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.js';
import type { Logger } from './logger.js';

/** How long after its due time a timer may fire, when it was set while the loop slept, ms. */
const TICK_MS = 50;
const BATCH = 100;

/**
 * Moves due timers of the own context into its inboxes. Any number of processes may run it: each timer is moved by one
 * script call, so it fires once.
 */
export class TimerLoop {
  private readonly abort = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { context, partitions, store, clock } = this.broker;
    const all = Array.from({ length: partitions }, (_, index) => ({ context, index }));
    for (;;) {
      try {
        const answers = await Promise.all(all.map((partition) => store.fireTimers(partition, clock.now(), BATCH)));
        if (answers.some(({ fired }) => fired === BATCH)) continue;
      } catch (error) {
        this.logger.warn(`timers of ${context}: ${(error as Error).message}`);
      }
      try {
        await sleep(TICK_MS, undefined, { signal: this.abort.signal });
      } catch {
        return;
      }
    }
  }
}
