import type { SagaInstance } from '../instance.js';
import type { SagaAction, WakeAction } from '../transition.js';

/** An instance as it is stored. */
export interface Stored<State> extends SagaInstance<State> {
  /** When its timer is set for: when something is due, or before, ms since 1970. */
  readonly timerAt?: number;
}

/**
 * Leaves the timer of an instance as it is when that comes early enough. Most of what a saga waits for comes in time, so that
 * most timers would be set for nothing; one that comes too early is set anew then.
 *
 * @param timerAt when the timer is set for; undefined: there is none
 * @param woken by its timer, which is gone
 * @returns the instance as it is stored, and whether its timer is to be written
 */
export function timerMoves<State>(
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
  timerAt: number | undefined,
  woken: boolean,
): { readonly stored: Stored<State>; readonly isSet: boolean } {
  const wake = actions.findLast((action): action is WakeAction => action.kind === 'wake');
  if (!wake) return { stored: { ...instance, ...(timerAt === undefined ? {} : { timerAt }) }, isSet: false };
  if (wake.at === undefined) return { stored: instance, isSet: true };
  // One that is past may have been lost.
  const isEarly = !woken && timerAt !== undefined && timerAt <= wake.at && timerAt > instance.updatedAt;
  return { stored: { ...instance, timerAt: isEarly ? timerAt : wake.at }, isSet: !isEarly };
}
