import { DEFAULT_RETRY } from '@millrace/broker';
import type { RetryPolicy } from '@millrace/broker';

/** Tried again with growing waits, never given up. The next step is decided without randomness, hence no jitter. */
export const UNTIL_DONE: RetryPolicy = { ...DEFAULT_RETRY, attempts: Infinity, jitter: 0 };

/** A step that met its deadline is tried again at once: the deadline was the wait. */
export const AT_ONCE: RetryPolicy = { ...UNTIL_DONE, attempts: 1, delayMs: 0 };

/** Deadline of one attempt, ms, unless told otherwise. */
export const STEP_WITHIN_MS = 30_000;
export const COMPENSATION_WITHIN_MS = 10_000;
export const FAREWELL_WITHIN_MS = 30_000;
export const LOCK_WITHIN_MS = 30_000;

/** Attempts to undo a step before a person has to, unless told otherwise. */
export const COMPENSATION_ATTEMPTS = 10;

/** Attempts of a local function, unless told otherwise: what fails here often succeeds a moment later. */
export const CALL_ATTEMPTS = 3;
