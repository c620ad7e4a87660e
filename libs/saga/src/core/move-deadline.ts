import { conclude } from './engine/conclude.js';
import { ROOT } from './engine/place.js';
import type { Turn } from './engine/turn.js';
import type { SagaInstance } from './instance.js';
import { mayTurn } from './pivot.js';
import type { DeadlineInput, Transition } from './transition.js';

/** A person gives a running saga another deadline, or none. */
export function moveDeadline<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  { at, by, why }: DeadlineInput,
): Transition<State> {
  const { run, farewell, status } = instance;
  const { deadline: before, ...rest } = instance;
  if (!mayTurn(turn.definition, instance)) {
    const reason = status === 'running' ? 'this saga does not turn round any more' : `this saga is ${status}`;
    return { outcome: 'ignored', reason };
  }
  if (at === undefined && before === undefined) return { outcome: 'ignored', reason: 'this saga has no deadline' };
  const reason = at === undefined ? 'none' : new Date(at).toISOString();
  turn.note('saga', ROOT, 'do', 'deadline-moved', { reason, by, why });
  return conclude(turn, at === undefined ? rest : { ...rest, deadline: at }, { run, farewell });
}
