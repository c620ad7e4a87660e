import { begun } from '../begun.js';
import type { SagaDefinition } from '../definition.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { isHalted, isOpen } from '../run.js';

/** The names of the steps that an instance does, undoes, or is stuck at; of code that cannot go on its own. */
export function currentSteps<State>(
  definition: SagaDefinition<State>,
  instance: Pick<SagaInstance<State>, 'run' | 'farewell' | 'status' | 'failure'>,
): readonly string[] {
  if (hasEnded(instance)) return [];
  if (instance.farewell) return [instance.failure ? 'rejection' : 'completion'];
  const open = begun(definition, instance.run, isOpen);
  const halted = open.filter(({ run }) => isHalted(run));
  return [...new Set((halted.length > 0 ? halted : open).map(({ name }) => name))];
}
