import { ConfigurationError } from './errors.js';
import { FeedArchive } from './archive/index.js';
import { checkOptions, fields, must } from './options/check-options.js';
import type { Rules } from './options/check-options.js';
import { count, countOrNone, duration, valueOr } from './options/rules.js';
import type { Entry, Partition } from './partition.js';

/**
 * What of the own context is kept, and for how long. Whatever is allowed here, no entry goes before every registered group
 * has acknowledged it and every projection has passed it, and events of aggregates do not go at all.
 */
export interface RetentionOptions {
  /**
   * Inboxes, and the logs that only one group reads. By default a message goes when every group has acknowledged it;
   * `false` keeps all.
   */
  readonly inbox?: LogRetention | false;
  /** Feeds. Default: kept for ever. Give `maxAgeMs`, `maxLength` or both. */
  readonly feed?: LogRetention;
  /** Dead letters. Default: kept until somebody discards or redrives them. */
  readonly dead?: Omit<LogRetention, 'archive'>;
  /** Groups and projections that nobody runs any more: as long as they are registered nothing they have not read goes. */
  readonly followers?: FollowerRetention;
  /** Time between two looks, ms. Default 1000. */
  readonly everyMs?: number;
}

/** When the entries of a log may go: as soon as one of the limits lets them. */
export interface LogRetention {
  /** They may go when they are older, ms. */
  readonly maxAgeMs?: number;
  /** The oldest may go when there are more. */
  readonly maxLength?: number;
  /**
   * Called with entries before they are removed, oldest first; they go when its promise resolves. Called again with the
   * same entries after a crash, so store them by position (`entry.id`). While it rejects, nothing goes.
   *
   * A {@link FeedArchive} is of feeds only. With it events of streams go as well, and are read from there; so every process
   * that reads them needs it.
   */
  readonly archive?: Archive | FeedArchive;
}

export type Archive = (entries: readonly Entry[], partition: Partition) => Promise<unknown>;

export interface FollowerRetention {
  /**
   * A group or projection that has something to do and has not been seen for so long is reported, ms. Those of Millrace
   * tell once a minute that they live. Default one day.
   */
  readonly reportAfterMs?: number;
  /**
   * ... and expires after so long, ms: it holds nothing back any more. Coming back, it goes on where it was, as far as that
   * is still there. Default 30 days; `false`: never.
   */
  readonly expireAfterMs?: number | false;
}

const LOG: Rules<LogRetention> = {
  maxAgeMs: countOrNone,
  maxLength: countOrNone,
  archive: must('a function or a FeedArchive', isArchive),
};

export const RETENTION_RULES: Rules<RetentionOptions> = {
  inbox: valueOr(false, fields(LOG)),
  feed: fields(LOG),
  dead: fields<Omit<LogRetention, 'archive'>>({ maxAgeMs: countOrNone, maxLength: countOrNone }),
  followers: fields<FollowerRetention>({ reportAfterMs: count, expireAfterMs: valueOr(false, count) }),
  everyMs: duration,
};

function isArchive(value: unknown): boolean {
  return typeof value === 'function' || value instanceof FeedArchive;
}

/** The options with everything filled in. */
export interface RetentionRules {
  readonly inbox: LogRetention | undefined;
  readonly feed: LogRetention | undefined;
  readonly dead: LogRetention | undefined;
  readonly reportAfterMs: number;
  readonly expireAfterMs: number;
  readonly everyMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** @throws ConfigurationError for limits that cannot work */
export function retentionRules(options: RetentionOptions = {}): RetentionRules {
  const { inbox = {}, feed, dead, followers = {}, everyMs = 1_000 } = options;
  checkOptions('retention', options, RETENTION_RULES);
  for (const [name, rule] of Object.entries({ feed, dead })) {
    if (!rule) continue;
    if (rule.maxAgeMs === undefined && rule.maxLength === undefined) {
      throw new ConfigurationError(`retention.${name} has no limit: give maxAgeMs, maxLength or both, or leave it out`);
    }
  }
  if (inbox && inbox.archive instanceof FeedArchive) {
    throw new ConfigurationError('retention.inbox.archive is a FeedArchive, which keeps events: give a function');
  }
  const { reportAfterMs = DAY_MS, expireAfterMs = 30 * DAY_MS } = followers;
  return {
    inbox: inbox || undefined,
    feed,
    dead,
    reportAfterMs,
    expireAfterMs: expireAfterMs === false ? Infinity : expireAfterMs,
    everyMs,
  };
}
