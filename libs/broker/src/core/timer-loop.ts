import type { Broker } from './broker.js';
import { departing } from './departing.js';
import type { Logger } from './logger.js';
import type { Partition } from './partition.js';
import type { Timer } from './timer.js';

/** Due timers of one look, per partition. */
const BATCH = 500;

/**
 * Fires the due timers of the own context. Any number of processes may run it: each timer is fired by one commit that
 * the others' guards then refuse, so it fires once.
 *
 * It sleeps until the next timer is due. What another process sets meanwhile is seen by looking every `latencyMs`, one call
 * for all partitions watched.
 */
export class TimerLoop {
  private stopped = false;
  private wake: () => void = () => undefined;
  private loop: Promise<void> = Promise.resolve();

  /**
   * @param watched the partitions whose timers this process fires, asked at every look
   * @param latencyMs how much later than due a timer may fire that another process has set
   */
  constructor(
    private readonly broker: Broker,
    private readonly watched: () => readonly Partition[],
    private readonly latencyMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopped) await this.rest(await this.look());
  }

  /** Fires what is due; answers when to look again, ms since 1970. */
  private async look(): Promise<number> {
    const { store, clock, context } = this.broker;
    const latest = clock.now() + this.latencyMs;
    try {
      const partitions = this.watched();
      if (partitions.length === 0) return latest;
      const { due, next = latest } = await store.dueTimers(partitions, clock.now(), BATCH);
      const fired = await Promise.all(due.map((timer) => this.fire(timer)));
      return fired.includes(false) ? latest : Math.min(next, latest);
    } catch (error) {
      this.logger.warn(`timers of ${context}: ${(error as Error).message}`);
      return latest;
    }
  }

  /** False when it has to be tried again. That another process was faster is as good as firing it. */
  private async fire(timer: Timer): Promise<boolean> {
    try {
      await this.broker.commit(await departing(this.broker, timer));
      return true;
    } catch (error) {
      this.logger.error(`timer '${timer.id}' of ${this.broker.context} cannot fire: ${(error as Error).message}`);
      return false;
    }
  }

  /** Until then, until an earlier timer is set here, or until it is stopped. */
  private rest(until: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    const { clock, alarm } = this.broker;
    return new Promise((resolve) => {
      let timeout: NodeJS.Timeout | undefined;
      let earliest = Infinity;
      const arm = (due: number): void => {
        if (due >= earliest) return;
        earliest = due;
        clearTimeout(timeout);
        timeout = setTimeout(() => this.wake(), due - clock.now());
      };
      const disarm = alarm.onSet(arm);
      this.wake = () => {
        clearTimeout(timeout);
        disarm();
        resolve();
      };
      arm(until);
    });
  }
}
