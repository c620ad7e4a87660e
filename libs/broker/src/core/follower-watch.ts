import type { Broker } from './broker.js';
import type { Follower } from './follower.js';
import type { Logger } from './logger.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';
import type { FollowerFigures } from './partition-figures.js';
import type { RetentionRules } from './retention-options.js';

/** Reports groups and projections of one partition that nobody runs any more, and lets them expire. */
export class FollowerWatch {
  /** When each one was reported last. */
  private readonly reported = new Map<string, number>();

  constructor(
    private readonly broker: Broker,
    private readonly partition: Partition,
    private readonly rules: RetentionRules,
    private readonly logger: Logger,
  ) {}

  async look(followers: readonly FollowerFigures[]): Promise<void> {
    const { reportAfterMs, expireAfterMs } = this.rules;
    for (const figures of followers) {
      const { follower, unseenMs, lag, pending } = figures;
      const isIdle = lag === 0 && pending === 0;
      if (unseenMs === undefined || (isIdle && unseenMs >= reportAfterMs / 4)) await this.see(follower);
      else if (isIdle || unseenMs < reportAfterMs) this.reported.delete(describeFollower(follower));
      else if (unseenMs < expireAfterMs) this.report(figures, unseenMs);
      else await this.expire(figures, unseenMs);
    }
  }

  /**
   * Counts as seen: a foreign group that has never read, and whoever has nothing to do. It holds nothing back, and a reader
   * that only waits leaves no trace in Redis 7.0.
   */
  private async see(follower: Follower): Promise<void> {
    this.reported.delete(describeFollower(follower));
    await this.broker.store.register(this.partition, [follower]);
  }

  private async expire({ follower, position }: FollowerFigures, unseenMs: number): Promise<void> {
    const left = await this.broker.store.expire(this.partition, follower, this.rules.expireAfterMs);
    if (!left) return;
    this.reported.delete(describeFollower(follower));
    this.logger.error(
      `${this.name(follower)} has not been seen for ${duration(unseenMs)} and expired: it leaves ${left.unread} entries ` +
        `unread and ${left.pending} unfinished, which may be removed from now on. If it comes back it goes on after ` +
        `${position}, with what is left then`,
    );
  }

  private report({ follower, lag, lagIsExact, pending }: FollowerFigures, unseenMs: number): void {
    const name = describeFollower(follower);
    const now = this.broker.clock.now();
    if (now - (this.reported.get(name) ?? -Infinity) < this.rules.reportAfterMs) return;
    this.reported.set(name, now);
    const { expireAfterMs } = this.rules;
    const end = expireAfterMs === Infinity ? 'never expires' : `expires in ${duration(expireAfterMs - unseenMs)}`;
    this.logger.warn(
      `${this.name(follower)} has not been seen for ${duration(unseenMs)}: ${lagIsExact ? '' : 'at least '}${lag} entries ` +
        `unread and ${pending} unfinished are kept for it; it ${end}. Start it, or remove it where it is gone for good`,
    );
  }

  private name(follower: Follower): string {
    return `${describeFollower(follower)} on ${addressOf(this.partition)}`;
  }
}

export function describeFollower(follower: Follower): string {
  return follower.kind === 'group'
    ? `group '${follower.group}' of log '${follower.log}'`
    : `reader with state '${follower.state}'`;
}

/** `3 days`, `2 hours`, `40 s` */
function duration(ms: number): string {
  const units = [
    [86_400_000, 'days'],
    [3_600_000, 'hours'],
    [60_000, 'minutes'],
  ] as const;
  for (const [size, name] of units) if (ms >= 2 * size) return `${Math.floor(ms / size)} ${name}`;
  return `${Math.round(ms / 1000)} s`;
}
