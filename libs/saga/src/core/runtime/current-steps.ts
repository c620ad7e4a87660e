import { visitBegun } from '../begun.js';
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
  const open: string[] = [];
  const halted: string[] = [];
  visitBegun(definition, instance.run, isOpen, (name, run) => {
    const names = isHalted(run) ? halted : open;
    if (!names.includes(name)) names.push(name);
  });
  return halted.length > 0 ? halted : open;
}
