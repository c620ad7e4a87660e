import type { Block, SagaDefinition, StepNode, WaitNode } from './definition.js';
import type { Direction } from './command-id.js';
import { FAREWELL, farewellOf } from './engine/farewell.js';
import { inside, ROOT } from './engine/place.js';
import type { Place } from './engine/place.js';
import type { SagaInstance } from './instance.js';
import { isOpen } from './run.js';
import type { PauseRun, Run, SequenceRun, StepRun } from './run.js';

/** A step that an instance has begun, where it stands, and how far it has come. */
export interface BegunStep<State> extends Place {
  readonly node: StepNode<State>;
  readonly run: StepRun;
}

/** A wait that an instance has come to. */
export interface BegunWait<State> extends Place {
  readonly node: WaitNode<State>;
  readonly run: PauseRun;
}

/** Every step that an instance has begun, the last command too. Those of code are known to a definition with its nodes. */
export function begunSteps<State>(
  definition: SagaDefinition<State>,
  instance: Pick<SagaInstance<State>, 'run' | 'farewell' | 'failure'>,
): readonly BegunStep<State>[] {
  const steps = begunIn(definition.body, instance.run, ROOT).filter(isStep);
  const { farewell } = instance;
  return farewell ? [...steps, { node: farewellOf(definition, instance), run: farewell, ...FAREWELL }] : steps;
}

/** The steps that wait for an answer, or for a person. */
export function openSteps<State>(
  definition: SagaDefinition<State>,
  instance: Pick<SagaInstance<State>, 'run' | 'farewell' | 'failure'>,
): readonly BegunStep<State>[] {
  return begunSteps(definition, instance).filter(({ run }) => isOpen(run));
}

/** The waits for events that are under way. */
export function openWaits<State>(
  { body }: SagaDefinition<State>,
  { run }: Pick<SagaInstance<State>, 'run'>,
): readonly BegunWait<State>[] {
  return begunIn(body, run, ROOT).filter((begun): begun is BegunWait<State> => !isStep(begun) && isOpen(begun.run));
}

/** In which direction a step goes, or is stuck. */
export function directionOf({ phase, way }: StepRun): Direction {
  return phase === 'undoing' || (phase === 'stuck' && way === 'undo') ? 'undo' : 'do';
}

type Begun<State> = BegunStep<State> | BegunWait<State>;

function isStep<State>(begun: Begun<State>): begun is BegunStep<State> {
  return begun.node.kind === 'step';
}

function begunIn<State>(block: Block<State>, { runs }: SequenceRun, place: Place): readonly Begun<State>[] {
  return runs.flatMap((run, at) => ofNode(block, at, run, inside(place, at)));
}

function ofNode<State>(block: Block<State>, at: number, run: Run, place: Place): readonly Begun<State>[] {
  const node = block[at]!;
  switch (node.kind) {
    case 'step':
      return [{ node, run: run as StepRun, ...place }];
    case 'wait':
      return [{ node, run: run as PauseRun, ...place }];
    case 'choice':
      if (!('body' in run)) return [];
      return begunIn(node.branches.get(run.branch)!, run.body, inside(place, run.branch));
    case 'parallel':
      if (!('branches' in run)) return [];
      return Object.entries(run.branches).flatMap(([name, branch]) =>
        begunIn(node.branches.get(name)!, branch, inside(place, name)),
      );
    case 'each':
      if (!('bodies' in run)) return [];
      return run.bodies.flatMap((body, index) =>
        begunIn(node.body, body, { ...inside(place, index), item: run.items[index] }),
      );
    case 'code':
      if (!('ops' in run)) return [];
      // Code that cannot go on may have made fewer nodes than before.
      return run.runs.flatMap((part, index) =>
        node.nodes?.[index] ? ofNode(node.nodes, index, part, inside(place, index)) : [],
      );
    default:
      return [];
  }
}
