import type { Rules } from './options/check-options.js';
import { func, number, times } from './options/rules.js';

/** When a failed message is tried again, and when it is given up. */
export interface RetryPolicy {
  /** Attempts before the message is dead-lettered. Default 5. */
  readonly attempts: number;
  /** Wait after the first failure, ms. Default 100. */
  readonly delayMs: number;
  /** Each further wait is this many times longer. Default 2. */
  readonly factor: number;
  /** Longest wait, ms. Default 30000. */
  readonly maxDelayMs: number;
  /** Share of the wait that is random, 0 to 1, so that failures do not retry in step. Default 0.2. */
  readonly jitter: number;
  /** Times a handler is begun and never answers (the process died) before its message is dead-lettered. Default 10. */
  readonly deliveries: number;
  /**
   * Whether trying again can help after this error; when not, the message is dead-lettered at once. Not asked about
   * errors that say it themselves: RetryableError, NonRetryableError, Defer. Default: it can.
   */
  readonly retryIf?: (error: unknown) => boolean;
}

export const RETRY_RULES: Rules<RetryPolicy> = {
  attempts: times,
  delayMs: number(0),
  factor: number(1),
  maxDelayMs: number(0),
  jitter: number(0, 1),
  deliveries: times,
  retryIf: func,
};

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 5,
  delayMs: 100,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: 0.2,
  deliveries: 10,
};

/**
 * The wait before the next attempt, ms: exponential backoff with jitter.
 *
 * @param failed attempts that have failed, at least 1
 * @param random a number in [0, 1)
 */
export function backoff(policy: RetryPolicy, failed: number, random: number): number {
  const full = Math.min(policy.maxDelayMs, policy.delayMs * policy.factor ** (failed - 1));
  return Math.round(full * (1 - policy.jitter * random));
}
