import type { Block, SagaDefinition, SagaNode } from '../definition.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { isHalted, isOpen } from '../run.js';
import type { Run, SequenceRun } from '../run.js';

/** The names of the steps that an instance does, undoes, or is stuck at. */
export function currentSteps<State>(
  { body }: SagaDefinition<State>,
  instance: Pick<SagaInstance<State>, 'run' | 'farewell' | 'status' | 'failure'>,
): readonly string[] {
  if (hasEnded(instance)) return [];
  if (instance.farewell) return [instance.failure ? 'rejection' : 'completion'];
  return [...new Set(inBlock(body, instance.run))];
}

function inBlock<State>(block: Block<State>, { runs }: SequenceRun): string[] {
  return runs.flatMap((run, at) => (isOpen(run) ? inNode(block[at]!, run) : []));
}

function inNode<State>(node: SagaNode<State>, run: Run): string[] {
  if (node.kind === 'code' && 'ops' in run) {
    if (isHalted(run)) return [node.name];
    return run.ops.flatMap(({ name }, at) => (isOpen(run.runs[at]!) ? [name] : []));
  }
  if (node.kind === 'choice' && 'body' in run) return inBlock(node.branches.get(run.branch)!, run.body);
  if (node.kind === 'parallel' && 'branches' in run) {
    return Object.entries(run.branches).flatMap(([name, branch]) => inBlock(node.branches.get(name)!, branch));
  }
  if (node.kind === 'each' && 'bodies' in run) return run.bodies.flatMap((body) => inBlock(node.body, body));
  return [node.name];
}
