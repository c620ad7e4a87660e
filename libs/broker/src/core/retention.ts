import type { Broker } from './broker.js';
import type { Holder } from './follower.js';
import type { Logger } from './logger.js';
import type { Source } from './partition.js';
import { PartitionKeeper } from './partition-keeper.js';
import { pause } from './pause.js';
import { retentionRules } from './retention-options.js';
import type { RetentionOptions, RetentionRules } from './retention-options.js';
import { Tenure } from './tenure.js';

/** Least time to live of the right to keep a partition, ms. */
const TENURE_MS = 10_000;

/** Where retention cannot do what its rules say. */
export interface HeldBack {
  readonly source: Source;
  /** Who keeps entries that the rules would let go. */
  readonly heldBy?: Holder;
  /** Why the archive does not take what it is given. */
  readonly archive?: Error;
}

/**
 * Keeps the partitions of the own context as their rules say. Of all processes of a service one does it, partition by
 * partition; it costs one short script per log and look, and nothing on the way of a message.
 */
export class Retention {
  readonly rules: RetentionRules;
  private readonly keepers: readonly PartitionKeeper[];
  private readonly tenure: Tenure;
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();

  /** @throws ConfigurationError for limits that cannot work */
  constructor(
    broker: Broker,
    options: RetentionOptions | undefined,
    owner: string,
    private readonly logger: Logger,
  ) {
    this.rules = retentionRules(options);
    const { context } = broker;
    const partitions = Array.from({ length: broker.partitions }, (_, index) => ({ context, index }));
    this.keepers = partitions.map((partition) => new PartitionKeeper(broker, partition, this.rules, logger));
    this.tenure = new Tenure(broker.store, 'retention', owner, partitions, Math.max(TENURE_MS, 3 * this.rules.everyMs));
  }

  start(): void {
    this.tenure.start();
    this.loop = this.run();
  }

  /** Ends after the step under way, and lets another process do it. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop;
    await this.tenure.stop();
  }

  /** What this process has found to be held back, where it keeps the partition. */
  get heldBack(): readonly HeldBack[] {
    return this.keepers
      .flatMap(({ logKeepers }) => logKeepers)
      .filter(({ heldBy, failure }) => heldBy ?? failure)
      .map(({ source, heldBy, failure }) => ({
        source,
        ...(heldBy ? { heldBy } : {}),
        ...(failure ? { archive: failure.error } : {}),
      }));
  }

  private async run(): Promise<void> {
    for (let more = false; more || (await this.pause());) {
      more = false;
      for (const keeper of this.keepers) {
        if (this.stopping.signal.aborted) return;
        if (!this.tenure.holds(keeper.partition)) continue;
        try {
          more = (await keeper.round()) || more;
        } catch (error) {
          const { context, index } = keeper.partition;
          this.logger.warn(`retention of ${context}/${index}: ${(error as Error).message}`);
        }
      }
    }
  }

  /** False when it is over. */
  private pause(): Promise<boolean> {
    return pause(this.rules.everyMs, this.stopping.signal);
  }
}
