import type { SagaInstance } from '../instance.js';
import type { SagaAction, WakeAction } from '../transition.js';

/**
 * Leaves the timer of an instance as it is when that comes early enough. Most of what a saga waits for comes in time, so that
 * most timers would be set for nothing; one that comes too early is set anew then.
 *
 * @param woken by its timer, which is gone
 * @returns the instance as it is stored, and whether its timer is to be written
 */
export function timerMoves<State>(
  instance: SagaInstance<State>,
  actions: readonly SagaAction[],
  woken: boolean,
): { readonly stored: SagaInstance<State>; readonly isSet: boolean } {
  const wake = actions.findLast((action): action is WakeAction => action.kind === 'wake');
  const { timerAt, ...rest } = instance;
  if (!wake) return { stored: instance, isSet: false };
  if (wake.at === undefined) return { stored: rest, isSet: true };
  // One that is past may have been lost.
  const isEarly = !woken && timerAt !== undefined && timerAt <= wake.at && timerAt > instance.updatedAt;
  return { stored: { ...rest, timerAt: isEarly ? timerAt : wake.at }, isSet: !isEarly };
}
