import { codeOf } from './definition.js';
import type { SagaDefinition } from './definition.js';
import type { SagaInstance } from './instance.js';
import { isHalted } from './run.js';
import type { CodeRun } from './run.js';

/** Whether an instance has come to the point from which it only goes forward. */
export function passedPivot<State>(definition: SagaDefinition<State>, { run }: SagaInstance<State>): boolean {
  if (run.back) return false;
  if (codeOf(definition))
    return (run.runs[0] as CodeRun | undefined)?.ops.some(({ kind }) => kind === 'pivot') ?? false;
  const pivot = definition.body.findIndex(({ kind }) => kind === 'pivot');
  return pivot >= 0 && run.runs.length > pivot;
}

/** Whether it can still turn round. */
export function mayTurn<State>(definition: SagaDefinition<State>, instance: SagaInstance<State>): boolean {
  const goesOn = instance.status === 'running' || instance.run.runs.some(isHalted);
  return goesOn && !instance.run.back && !passedPivot(definition, instance);
}
