import type { IsCodeState } from './code/code-state.js';
import type { SagaDefinition } from './definition.js';
import { definitionOf } from './saga-class.js';
import type { SagaHolder } from './saga-class.js';

/** A saga as tests name it: its definition, its class, or an instance of a class that asks for something. */
export type PlayableSaga<State> = SagaDefinition<State> | SagaHolder<State> | (new () => SagaHolder<State>);

/** A saga that is described by steps: what it does is known at once. */
export type PlayableAtOnce<State> = PlayableSaga<State> &
  (IsCodeState<State> extends true
    ? 'a saga in code takes a moment to run: await scenario(saga, (saga) => saga.given(...))'
    : unknown);

/** @throws ConfigurationError when the class is no saga */
export function playableDefinition<State>(saga: PlayableSaga<State>): SagaDefinition<State> {
  if (typeof saga === 'function') return definitionOf(new saga());
  return 'definition' in saga ? definitionOf(saga) : saga;
}
