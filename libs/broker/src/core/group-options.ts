import { isDeepStrictEqual } from 'node:util';
import { ConfigurationError } from './errors.js';
import { all, checkOptionsAmong, fields } from './options/check-options.js';
import type { Rules } from './options/check-options.js';
import { count, duration, oneOf } from './options/rules.js';
import { DEFAULT_RETRY, RETRY_RULES } from './retry-policy.js';
import type { RetryPolicy } from './retry-policy.js';

/**
 * How one consumer group consumes. Given for all groups of a service (`forRoot({ concurrency: 16 })`), by name
 * (`forRoot({ groups: { mailer: { concurrency: 4 } } })`) or with a handler (`@On(X, { group: 'mailer', concurrency: 4 })`);
 * the later wins, option by option. Two handlers of one group must not differ in an option.
 */
export interface GroupOptions {
  /**
   * `key`: messages of one key are handled one after the other, in order, in whatever process. `partition`: so are all
   * messages of a partition, and with `partitions: 1` all of the context; one that is tried again holds up the others.
   * `none`: any process takes any message at any time, so that all processes work on one partition (competing consumers).
   * What a process that died had taken comes to the others after `leaseTtlMs`. Default `key`.
   */
  readonly ordering?: 'key' | 'partition' | 'none';
  /**
   * When a message has been given up: `continue` lets the later ones of its key go on; `park-key` keeps them behind it, as
   * dead letters, until somebody redrives or discards it. Not with ordering `none`. Default `continue`.
   */
  readonly onFailure?: 'continue' | 'park-key';
  /** Handlers running at the same time in one process. Default 64. */
  readonly concurrency?: number;
  /** Messages taken in and not finished beyond which a process reads no more. Default 1500; with `ordering: 'none'` twice the
   * concurrency, so that others get what this process cannot begin. */
  readonly prefetch?: number;
  /** Bytes of messages taken in and not finished beyond which a process reads no more. Default 32 MiB. */
  readonly prefetchBytes?: number;
  /** Messages begun per `perMs` milliseconds, over all processes of the service together. Default: no limit. */
  readonly rate?: Rate;
  readonly retry?: Partial<RetryPolicy>;
  /** Time after which a handler counts as failed, ms. Default: none. */
  readonly handlerTimeoutMs?: number;
  /** Entries of one read, over all logs. Default 500. */
  readonly readCount?: number;
}

/** So many messages in so many milliseconds. */
export interface Rate {
  /** At least 1. */
  readonly limit: number;
  /** At least 1. */
  readonly perMs: number;
}

export const GROUP_RULES: Rules<GroupOptions> = {
  ordering: oneOf('key', 'partition', 'none'),
  onFailure: oneOf('continue', 'park-key'),
  concurrency: count,
  prefetch: count,
  prefetchBytes: count,
  rate: all<Rate>({ limit: count, perMs: count }, '{ limit, perMs }, integers of at least 1'),
  retry: fields(RETRY_RULES),
  handlerTimeoutMs: duration,
  readCount: count,
};

/** The options of one group with everything filled in. */
export type GroupSettings = Required<Omit<GroupOptions, 'retry' | 'rate' | 'handlerTimeoutMs'>> & {
  readonly retry: RetryPolicy;
  readonly rate: Rate | undefined;
  readonly handlerTimeoutMs: number | undefined;
};

const DEFAULTS: GroupSettings = {
  ordering: 'key',
  onFailure: 'continue',
  concurrency: 64,
  prefetch: 1500,
  prefetchBytes: 32 * 1024 * 1024,
  rate: undefined,
  retry: DEFAULT_RETRY,
  handlerTimeoutMs: undefined,
  readCount: 500,
};

const NAMES = Object.keys(DEFAULTS) as (keyof GroupOptions)[];

/** The group options among others, leaving out what is undefined. */
export function groupOptionsIn(options: object): GroupOptions {
  const given = options as Record<string, unknown>;
  return Object.fromEntries(NAMES.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));
}

/**
 * Fills in an option from the last place that gives it.
 *
 * @throws ConfigurationError for a value that cannot work, naming the group
 */
export function resolveGroup(group: string, ...places: readonly GroupOptions[]): GroupSettings {
  const given = places.map(groupOptionsIn);
  const settings: GroupSettings = Object.assign({}, DEFAULTS, ...given, {
    retry: Object.assign({}, DEFAULT_RETRY, ...given.map(({ retry }) => retry)) as RetryPolicy,
  });
  check(group, settings);
  // Who competes with others takes no more than it will soon get to.
  const isGiven = given.some(({ prefetch }) => prefetch !== undefined);
  if (settings.ordering !== 'none' || isGiven) return settings;
  return { ...settings, prefetch: Math.min(settings.prefetch, 2 * settings.concurrency) };
}

/** A handler, and the options it gives its group. */
export interface Declared {
  readonly name: string;
  readonly options?: GroupOptions;
}

/**
 * What the handlers of one group declare, as one.
 *
 * @throws ConfigurationError when two of them differ in an option
 */
export function joinOptions(group: string, handlers: readonly Declared[]): GroupOptions {
  const by = new Map<keyof GroupOptions, Declared>();
  for (const handler of handlers) {
    for (const name of Object.keys(groupOptionsIn(handler.options ?? {})) as (keyof GroupOptions)[]) {
      const other = by.get(name);
      if (!other) by.set(name, handler);
      else if (!isDeepStrictEqual(other.options![name], handler.options![name])) {
        const values = [other, handler].map((each) => `${show(each.options![name])} at ${each.name}`);
        throw new ConfigurationError(
          `group '${group}' has ${name}: ${values.join(' and ')}: ` +
            `a group has one; write it once, or give one of the handlers its own group`,
        );
      }
    }
  }
  return Object.fromEntries([...by].map(([name, { options }]) => [name, options![name]]));
}

function check(group: string, settings: GroupSettings): void {
  const where = `group '${group}'`;
  checkOptionsAmong(where, settings, GROUP_RULES);
  if (settings.onFailure === 'park-key' && settings.ordering === 'none') {
    throw new ConfigurationError(
      `${where} has onFailure: "park-key"; it must be 'continue' with ordering 'none': ` +
        `without order nothing waits behind a message`,
    );
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
