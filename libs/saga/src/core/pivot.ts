import type { SagaDefinition } from './definition.js';
import type { SagaInstance } from './instance.js';

/** Whether an instance has come to the point from which it only goes forward. */
export function passedPivot<State>(definition: SagaDefinition<State>, { run }: SagaInstance<State>): boolean {
  const pivot = definition.body.findIndex(({ kind }) => kind === 'pivot');
  return pivot >= 0 && run.runs.length > pivot && !run.back;
}
