import type { Violation } from './checker/evidence.js';

/** What `--json` prints. */
export interface Result {
  readonly orders: number;
  readonly confirmed: number;
  readonly rejected: number;
  readonly parked: number;
  /** Orders that had not ended in time, or were never accepted. */
  readonly unfinished: number;
  readonly violations: readonly Violation[];
  readonly kills: number;
  readonly redis: { readonly source: string; readonly version: string };
  readonly seconds: number;
  readonly seed: number;
}

/** Whether the shop kept its promise. */
export function isGood({ unfinished, violations }: Result): boolean {
  return unfinished === 0 && violations.length === 0;
}
