import { MessageError } from '@millrace/messages';
import { TransformError } from '@millrace/transforms';
import { isOwnReason } from './dead-letter-reason.js';
import { ConfigurationError, Defer, RetryableError } from './errors.js';
import { NonRetryableError } from './non-retryable-error.js';
import { backoff } from './retry-policy.js';
import type { RetryPolicy } from './retry-policy.js';

/** What becomes of a message whose handler failed. */
export type AfterFailure =
  /** Tried again when it is due (ms since 1970). A message that was put off has not failed. */
  | { readonly kind: 'again'; readonly due: number; readonly failed: boolean }
  | { readonly kind: 'given-up'; readonly reason: string };

/**
 * Decides by what was thrown, which may be anything.
 *
 * @param attempts failed attempts, this one included
 * @param random a number in [0, 1)
 */
export function afterFailure(
  error: unknown,
  attempts: number,
  policy: RetryPolicy,
  now: number,
  random: number,
): AfterFailure {
  if (error instanceof Defer) return { kind: 'again', due: error.due(now), failed: false };
  // A subclass may have declared whatever it likes.
  if (error instanceof NonRetryableError) {
    return { kind: 'given-up', reason: isOwnReason(error.code) ? error.code : 'non-retryable' };
  }
  if (error instanceof MessageError || error instanceof ConfigurationError) {
    return { kind: 'given-up', reason: error.code };
  }
  if (error instanceof TransformError && !error.retryable) return { kind: 'given-up', reason: error.code };
  const asked = error instanceof RetryableError;
  if (!asked && policy.retryIf && !policy.retryIf(error)) return { kind: 'given-up', reason: 'non-retryable' };
  if (attempts >= policy.attempts)
    return { kind: 'given-up', reason: error instanceof TransformError ? error.code : 'handler-failed' };
  const delay = (asked ? error.afterMs : undefined) ?? backoff(policy, attempts, random);
  return { kind: 'again', due: now + delay, failed: true };
}
