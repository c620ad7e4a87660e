import { ConfigurationError } from './errors.js';

/** When a message is to go out: not before so many ms from now, or not before a time. */
export interface Delay {
  /** ms from now, at least 0. */
  readonly delayMs?: number;
  readonly at?: Date;
}

/** Whether it is to go out later at all. */
export function isDelayed({ delayMs, at }: Delay): boolean {
  return delayMs !== undefined || at !== undefined;
}

/**
 * When that is, ms since 1970; undefined for at once.
 *
 * @throws ConfigurationError for both, for a delay below zero, and for a date that is none
 */
export function dueOf({ delayMs, at }: Delay, now: number): number | undefined {
  if (delayMs !== undefined && at !== undefined) {
    throw new ConfigurationError('delayMs and at are both given: a message goes out once, write one of them');
  }
  if (delayMs !== undefined) {
    if (!(delayMs >= 0 && delayMs < Infinity))
      throw new ConfigurationError(`delayMs: ${delayMs} must be a number of ms`);
    return Math.ceil(now + delayMs);
  }
  return at === undefined ? undefined : timeOf(at);
}

/** @throws ConfigurationError for a date that is none */
export function timeOf(at: Date): number {
  const time = at instanceof Date ? at.getTime() : NaN;
  if (Number.isNaN(time)) throw new ConfigurationError(`${String(at)} is no valid Date`);
  return time;
}
