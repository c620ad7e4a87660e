import type { SagaDefinition, SagaFailure } from '../definition.js';
import type { Duration } from './duration.js';

declare const input: unique symbol;

/** A saga that can be given a name, and then run. */
export interface UnnamedSaga<State, Input extends object = object> {
  /** What an instance is started with. Exists for the compiler only. */
  readonly [input]?: (of: Input) => void;

  /**
   * What is said when all steps are done: an event is published, a command is sent again and again until it succeeds, and a
   * reply answers the command that started the saga.
   */
  onCompleted(message: (state: State) => object): UnnamedSaga<State, Input>;
  /**
   * What is said when everything is undone; as for `onCompleted`. Without it the saga ends with its last compensation.
   */
  onCompensated(message: (state: State, failure: SagaFailure) => object): UnnamedSaga<State, Input>;
  /** The event that is published, or the command that is sent, when the saga is parked. Nobody waits for its answer. */
  onParked(message: (state: State, failure: SagaFailure) => object): UnnamedSaga<State, Input>;
  /**
   * How long an instance may take until its pivot; then it turns round. Default: for ever.
   *
   * @throws ConfigurationError unless it is a length of time
   */
  within(deadline: Duration): UnnamedSaga<State, Input>;
  /**
   * Business keys by which an instance is found, of its state: `keys(({ customer }) => ({ customer }))`. They are read at
   * every change.
   */
  keys(keys: (state: State) => Readonly<Record<string, string>>): UnnamedSaga<State, Input>;
  /**
   * The definition, checked.
   *
   * @param name lower-case letters, digits and hyphens; it is part of stored keys, so it is fixed
   * @param version default 1
   * @throws ConfigurationError for a saga without steps, such a name, or a version that is no positive integer
   */
  named(name: string, version?: number): SagaDefinition<State>;
}
