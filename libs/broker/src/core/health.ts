import type { BrokerFigures } from './broker-figures.js';
import { formatLetterId } from './dead-letter-view.js';
import { describeFollower } from './follower-watch.js';
import { checkOptions, fields } from './options/check-options.js';
import type { Rules } from './options/check-options.js';
import { limit } from './options/rules.js';
import { addressOf } from './partition.js';
import type { PartitionFigures } from './partition-figures.js';
import type { RetentionRules } from './retention-options.js';

/** From where on a service is degraded, or down. A limit that is left out of `down` does not take it down. */
export interface HealthOptions {
  /** Defaults: maxLag 10000, maxPendingMs 300000, newDeadLetterMs 900000, maxVanished 0; maxDeadLetters none. */
  readonly degraded?: HealthLimits;
  /** Default: none. A store that does not answer is always down. */
  readonly down?: HealthLimits;
}

export interface HealthLimits {
  /** Entries that a group of this service has not been given yet, per partition and log. */
  readonly maxLag?: number;
  /** Ms since the oldest unfinished entry was given to a group of this service. */
  readonly maxPendingMs?: number;
  /**
   * A message was given up less than so long ago, ms. One that somebody has redriven or discarded counts no more; 0: never.
   */
  readonly newDeadLetterMs?: number;
  /** Dead letters kept, however old: all that `DeadLetters.list()` lists. */
  readonly maxDeadLetters?: number;
  /** Groups and projections of the own context that nobody runs any more (`retention.followers.reportAfterMs`). */
  readonly maxVanished?: number;
}

const LIMITS: Rules<HealthLimits> = {
  maxLag: limit,
  maxPendingMs: limit,
  newDeadLetterMs: limit,
  maxDeadLetters: limit,
  maxVanished: limit,
};

export const HEALTH_RULES: Rules<HealthOptions> = { degraded: fields(LIMITS), down: fields(LIMITS) };

export interface Health {
  readonly status: 'up' | 'degraded' | 'down';
  /** One sentence per limit that is passed. */
  readonly reasons: readonly string[];
  /** The sums behind it; undefined when the store does not answer. */
  readonly figures: HealthFigures | undefined;
}

export interface HealthFigures {
  readonly lag: number;
  readonly pending: number;
  readonly oldestPendingMs: number;
  readonly deadLetters: number;
  /** Ms since the latest of them was given up; undefined when there is none. */
  readonly newestDeadLetterMs: number | undefined;
  readonly timers: number;
  readonly vanished: number;
}

/** A message that was given up wants a look, and is no reason to be degraded until somebody has had it. */
const DEGRADED: Required<HealthLimits> = {
  maxLag: 10_000,
  maxPendingMs: 300_000,
  newDeadLetterMs: 15 * 60_000,
  maxDeadLetters: Infinity,
  maxVanished: 0,
};

/** @throws ConfigurationError for limits that cannot work */
export function checkHealth(options: HealthOptions): void {
  checkOptions('health', options, HEALTH_RULES);
}

/**
 * What figures mean.
 *
 * @param groups names of the groups that this service runs
 */
export function judge(
  { own, others, heldBack }: BrokerFigures,
  groups: ReadonlySet<string>,
  { reportAfterMs }: Pick<RetentionRules, 'reportAfterMs'>,
  { degraded, down = {} }: HealthOptions,
): Health {
  const run = [...own, ...others].flatMap(({ partition, followers }) =>
    followers
      .filter(({ follower }) => follower.kind === 'group' && groups.has(follower.group))
      .map((figures) => ({ ...figures, where: `${describeFollower(figures.follower)} on ${addressOf(partition)}` })),
  );
  const gone = own.flatMap((figures) => vanished(figures, reportAfterMs));
  const all = [...own, ...others];
  const deadLetters = all.reduce((sum, partition) => sum + partition.deadLetters, 0);
  const [newest] = all
    .flatMap(({ partition, newestDeadLetter }) => (newestDeadLetter ? [{ partition, ...newestDeadLetter }] : []))
    .sort((a, b) => a.ms - b.ms);
  const beyond = (limits: HealthLimits): string[] => [
    ...run
      .filter(({ lag }) => lag > (limits.maxLag ?? Infinity))
      .map(({ where, lag, lagIsExact }) => `${where} has ${lagIsExact ? '' : 'at least '}${lag} unread entries`),
    ...run
      .filter(({ oldestPending }) => (oldestPending?.ms ?? 0) > (limits.maxPendingMs ?? Infinity))
      .map(({ where, oldestPending }) => `${where} has not finished ${oldestPending!.id} for ${oldestPending!.ms} ms`),
    ...(newest && newest.ms < (limits.newDeadLetterMs ?? 0)
      ? [`a message was given up ${newest.ms} ms ago: dead letter ${formatLetterId(newest)}`]
      : []),
    ...(deadLetters > (limits.maxDeadLetters ?? Infinity) ? [`${deadLetters} dead letters wait for a decision`] : []),
    ...(gone.length > (limits.maxVanished ?? Infinity) ? gone.map((name) => `${name} has not been seen for long`) : []),
  ];
  const archives = heldBack.flatMap(({ source, archive }) =>
    archive
      ? [`the archive of ${addressOf(source.partition)} ${source.log} does not take entries: ${archive.message}`]
      : [],
  );
  const fatal = beyond(down);
  const reasons = [...new Set([...fatal, ...beyond({ ...DEGRADED, ...degraded }), ...archives])];
  return {
    status: fatal.length > 0 ? 'down' : reasons.length > 0 ? 'degraded' : 'up',
    reasons,
    figures: {
      lag: run.reduce((sum, { lag }) => sum + lag, 0),
      pending: run.reduce((sum, { pending }) => sum + pending, 0),
      oldestPendingMs: Math.max(0, ...run.map(({ oldestPending }) => oldestPending?.ms ?? 0)),
      deadLetters,
      newestDeadLetterMs: newest?.ms,
      timers: own.reduce((sum, { timers }) => sum + timers, 0),
      vanished: gone.length,
    },
  };
}

function vanished({ partition, followers }: PartitionFigures, reportAfterMs: number): string[] {
  return followers
    .filter(({ lag, pending, unseenMs }) => (unseenMs ?? 0) >= reportAfterMs && lag + pending > 0)
    .map(({ follower }) => `${describeFollower(follower)} on ${addressOf(partition)}`);
}
