import type { Broker } from './broker.js';
import { removeDeadLetters } from './dead-letter-keeper.js';
import { FollowerWatch } from './follower-watch.js';
import { LogKeeper } from './log-keeper.js';
import type { Logger } from './logger.js';
import { ownerOf } from './partition.js';
import type { Log, Partition } from './partition.js';
import type { LogRetention, RetentionRules } from './retention-options.js';

/** Longest time between two looks at the followers, ms. */
const LOOK_MS = 60_000;

/** Keeps one partition: trims its logs and dead letters, and watches its followers. */
export class PartitionKeeper {
  private readonly logs = new Map<Log, LogKeeper>();
  private readonly watch: FollowerWatch;
  private nextLook = 0;

  constructor(
    private readonly broker: Broker,
    readonly partition: Partition,
    private readonly rules: RetentionRules,
    private readonly logger: Logger,
  ) {
    this.watch = new FollowerWatch(broker, partition, rules, logger);
    this.keep('in', rules.inbox);
    this.keep('feed', rules.feed);
  }

  /** What is held back beyond the rules, and which archive fails. */
  get logKeepers(): readonly LogKeeper[] {
    return [...this.logs.values()];
  }

  /** One round. True when there is more to do at once. */
  async round(): Promise<boolean> {
    if (performance.now() >= this.nextLook) await this.look();
    let more = false;
    for (const [log, keeper] of this.logs) {
      // Nearly always empty: looking at them now and then is enough.
      if (ownerOf(log) === undefined) more = (await keeper.step()) || more;
    }
    return more;
  }

  private async look(): Promise<void> {
    const { reportAfterMs, expireAfterMs, dead, inbox } = this.rules;
    this.nextLook = performance.now() + Math.min(LOOK_MS, reportAfterMs / 4, expireAfterMs / 4);
    const { logs, followers } = await this.broker.store.survey(this.partition);
    await this.watch.look(followers);
    for (const { log, length } of logs) {
      if (ownerOf(log) === undefined) continue;
      this.keep(log, inbox);
      if (length > 0) while (await this.logs.get(log)?.step()) continue;
    }
    if (dead) await removeDeadLetters(this.broker, this.partition, dead, this.logger);
  }

  private keep(log: Log, rule: LogRetention | undefined): void {
    if (!rule || this.logs.has(log)) return;
    this.logs.set(log, new LogKeeper(this.broker, { partition: this.partition, log }, rule, this.logger));
  }
}
