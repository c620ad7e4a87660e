import { formatCommandId } from '../command-id.js';
import type { Block, SagaDefinition, SagaNode } from '../definition.js';
import { inside, ROOT } from '../engine/place.js';
import type { Place } from '../engine/place.js';
import type { SagaInstance } from '../instance.js';
import { isOpen } from '../run.js';
import type { Run, SequenceRun, StepRun } from '../run.js';
import type { CallAction } from '../transition.js';

/** The local functions that an instance waits for: what a process that died has left. */
export function callsUnderWay<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
): readonly CallAction[] {
  return inBlock(instance, definition.body, instance.run, ROOT);
}

function inBlock<State>(
  instance: SagaInstance<State>,
  block: Block<State>,
  { runs }: SequenceRun,
  place: Place,
): CallAction[] {
  return runs.flatMap((run, at) => (isOpen(run) ? inNode(instance, block[at]!, run, inside(place, at)) : []));
}

function inNode<State>(instance: SagaInstance<State>, node: SagaNode<State>, run: Run, place: Place): CallAction[] {
  if (node.kind === 'step') return ofStep(instance, node, run as StepRun, place);
  if (node.kind === 'code' && 'ops' in run) {
    return run.runs.flatMap((part, at) => {
      const made = node.nodes?.[at];
      return made && isOpen(part) ? inNode(instance, made, part, inside(place, at)) : [];
    });
  }
  if (node.kind === 'choice' && 'body' in run) {
    return inBlock(instance, node.branches.get(run.branch)!, run.body, inside(place, run.branch));
  }
  if (node.kind === 'parallel' && 'branches' in run) {
    return Object.entries(run.branches).flatMap(([name, branch]) =>
      inBlock(instance, node.branches.get(name)!, branch, inside(place, name)),
    );
  }
  if (node.kind !== 'each' || !('bodies' in run)) return [];
  return run.bodies.flatMap((body, at) =>
    inBlock(instance, node.body, body, { ...inside(place, at), item: run.items[at] }),
  );
}

function ofStep<State>(
  { saga, id: instance, state }: SagaInstance<State>,
  node: Extract<SagaNode<State>, { kind: 'step' }>,
  { phase, waiting, attempt }: StepRun,
  { path, item }: Place,
): CallAction[] {
  if (waiting || phase === 'stuck') return [];
  const direction = phase === 'undoing' ? 'undo' : 'do';
  const act = node[direction]?.act;
  if (act?.kind !== 'call') return [];
  const id = formatCommandId({ saga, id: instance, path, direction, attempt });
  return [{ kind: 'call', id, work: act.work, state, item, attempt, withinMs: act.withinMs }];
}
