import type { SagaDefinition, StepNode } from '../definition.js';
import type { SagaInstance } from '../instance.js';
import { UNTIL_DONE, FAREWELL_WITHIN_MS } from '../patience.js';
import type { Place } from './place.js';

/** Where the last command of a saga stands. */
export const FAREWELL: Place = { path: 'end', item: undefined };

/** The step that tells of the end: sent until it succeeds. */
export function farewellOf<State>(
  { ends }: SagaDefinition<State>,
  { failure }: Pick<SagaInstance<State>, 'failure'>,
): StepNode<State> {
  const make = failure ? (state: State) => ends.compensated!(state, failure) : (state: State) => ends.completed!(state);
  return {
    kind: 'step',
    name: failure ? 'rejection' : 'completion',
    do: { act: { kind: 'send', make }, withinMs: FAREWELL_WITHIN_MS, retry: UNTIL_DONE },
    replies: new Map(),
    undo: undefined,
    untilDone: true,
  };
}
