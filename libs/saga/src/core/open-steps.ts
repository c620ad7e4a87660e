import { begun } from './begun.js';
import type { Begun } from './begun.js';
import type { SagaDefinition, StepNode, WaitNode } from './definition.js';
import type { Direction } from './command-id.js';
import { FAREWELL, farewellOf } from './engine/farewell.js';
import type { Place } from './engine/place.js';
import type { SagaInstance } from './instance.js';
import { isOpen } from './run.js';
import type { PauseRun, StepRun } from './run.js';

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
  const steps = begun(definition, instance.run).filter(isStep);
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
  definition: SagaDefinition<State>,
  { run }: Pick<SagaInstance<State>, 'run'>,
): readonly BegunWait<State>[] {
  return begun(definition, run, isOpen).filter(isWait);
}

/** In which direction a step goes, or is stuck. */
export function directionOf({ phase, way }: StepRun): Direction {
  return phase === 'undoing' || (phase === 'stuck' && way === 'undo') ? 'undo' : 'do';
}

function isStep<State>(each: Begun<State>): each is Begun<State> & BegunStep<State> {
  return each.node?.kind === 'step';
}

function isWait<State>(each: Begun<State>): each is Begun<State> & BegunWait<State> {
  return each.node?.kind === 'wait';
}
