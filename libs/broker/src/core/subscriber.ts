import { randomUUID } from 'node:crypto';
import type { Broker } from './broker.js';
import { GroupConsumer } from './group-consumer.js';
import type { ConsumerSettings } from './group-consumer.js';
import type { Subscriptions } from './handler.js';
import type { Logger } from './logger.js';
import { silent } from './logger.js';
import { DEFAULT_RETRY } from './retry-policy.js';
import type { RetryPolicy } from './retry-policy.js';
import { TimerLoop } from './timer-loop.js';

export type SubscriberSettings = Partial<Omit<ConsumerSettings, 'owner' | 'retry'>> & {
  readonly retry?: Partial<RetryPolicy>;
};

/** Everything a service consumes: one consumer per group, and the timers of its context. */
export class Subscriber {
  private consumers: GroupConsumer[] = [];
  private readonly timers: TimerLoop;
  private readonly settings: ConsumerSettings;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
    settings: SubscriberSettings = {},
    private readonly logger: Logger = silent,
  ) {
    this.timers = new TimerLoop(broker, logger);
    this.settings = {
      owner: randomUUID(),
      concurrency: settings.concurrency ?? 64,
      prefetch: settings.prefetch ?? 512,
      batch: settings.batch ?? 200,
      blockMs: settings.blockMs ?? 1_000,
      leaseTtlMs: settings.leaseTtlMs ?? 10_000,
      retry: { ...DEFAULT_RETRY, ...settings.retry },
    };
  }

  /** Declares the context and starts to consume. What was published before is not missed. */
  async start(): Promise<void> {
    await this.broker.declare();
    for (const group of this.subscriptions.groups.values()) {
      const consumer = new GroupConsumer(this.broker, group, this.settings, this.logger);
      this.consumers.push(consumer);
      await consumer.start();
    }
    this.timers.start();
  }

  /** Stops reading, finishes what is being handled, gives the leases back. Idempotent. */
  stop(): Promise<void> {
    return (this.stopped ??= this.drain());
  }

  private async drain(): Promise<void> {
    await Promise.all([this.timers.stop(), ...this.consumers.map((consumer) => consumer.stop())]);
    this.consumers = [];
  }
}
