import { ConfigurationError } from './errors.js';

/** How long a published id is remembered, unless said otherwise: a day. */
export const DEDUPE_WINDOW_MS = 86_400_000;

/** @throws ConfigurationError for a window that is no number of ms */
export function checkWindow(ms: number): number {
  if (Number.isSafeInteger(ms) && ms >= 1) return ms;
  throw new ConfigurationError(`dedupeWindowMs: ${ms} must be an integer of at least 1, in ms`);
}
