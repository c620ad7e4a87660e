import { begun } from '../begun.js';
import { formatCommandId } from '../command-id.js';
import type { SagaDefinition } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { isOpen } from '../run.js';
import type { StepRun } from '../run.js';
import type { CallAction } from '../transition.js';

/** The local functions that an instance waits for: what a process that died has left. */
export function callsUnderWay<State>(
  definition: SagaDefinition<State>,
  { saga, id: instance, state, run: all }: SagaInstance<State>,
): readonly CallAction[] {
  return begun(definition, all, isOpen).flatMap(({ node, run, path, item }): CallAction[] => {
    if (node?.kind !== 'step') return [];
    const { phase, waiting, attempt } = run as StepRun;
    if (waiting || phase === 'stuck') return [];
    const direction = phase === 'undoing' ? 'undo' : 'do';
    const act = node[direction]?.act;
    if (act?.kind !== 'call') return [];
    const id = formatCommandId({ saga, id: instance, path, direction, attempt });
    return [{ kind: 'call', id, work: act.work, state, item, attempt, withinMs: act.withinMs }];
  });
}
