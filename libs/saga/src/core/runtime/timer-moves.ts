import type { SagaInstance } from '../instance.js';
import type { SagaAction, WakeAction } from '../transition.js';

/**
 * Leaves the timer of an instance as it is when that comes early enough. Most of what a saga waits for comes in time, so that
 * most timers would be set for nothing; one that comes too early is set anew then.
 *
 * @param timerAt when the timer is set for; undefined: there is none
 * @param woken by its timer, which is gone
 * @returns when it is set for from now on, and whether it is to be written
 */
export function timerMoves(
  { updatedAt }: Pick<SagaInstance, 'updatedAt'>,
  actions: readonly SagaAction[],
  timerAt: number | undefined,
  woken: boolean,
): { readonly timerAt: number | undefined; readonly isSet: boolean } {
  const wake = actions.findLast((action): action is WakeAction => action.kind === 'wake');
  if (!wake) return { timerAt, isSet: false };
  if (wake.at === undefined) return { timerAt: undefined, isSet: true };
  // One that is past may have been lost.
  const isEarly = !woken && timerAt !== undefined && timerAt <= wake.at && timerAt > updatedAt;
  return { timerAt: isEarly ? timerAt : wake.at, isSet: !isEarly };
}
