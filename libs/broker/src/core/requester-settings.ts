import type { Rules } from './options/check-options.js';
import { count } from './options/rules.js';

export interface RequesterSettings {
  /** How long replies are kept for a process that has hung or died, ms. Default 30000. */
  readonly replyTtlMs?: number;
}

export const REQUESTER_RULES: Rules<RequesterSettings> = { replyTtlMs: count };
