import type { MessageClass } from '@millrace/messages';
import type { SagaDefinition, SagaFailure } from './definition.js';
import type { AnyCommand, FinishedStep } from './reply-typing.js';
import { SagaBuilder } from './saga-builder.js';
import { startOn } from './saga-start.js';
import type { NewForwardStep, NewStep } from './step.js';

/**
 * Describes a saga: a business transaction over several services, of steps that are undone in reverse order when one of
 * them is refused (Garcia-Molina and Salem, "Sagas", 1987).
 *
 * ```ts
 * saga<{ orderId: string }>()
 *   .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
 *   .step('reserve stock', (s) => s
 *     .sends(({ orderId }) => new ReserveStock(orderId))
 *     .onReply(StockReserved)
 *     .failsOn(OutOfStock)
 *     .compensates(({ orderId }) => new ReleaseStock(orderId)))
 *   .pivot()
 *   .step('confirm order', (s) => s.sends(({ orderId }) => new ConfirmOrder(orderId)).untilDone())
 *   .onCompensated(({ orderId }, { reason }) => new RejectOrder(orderId, reason));
 * ```
 *
 * Every mapper must be pure: it is run again when a commit meets a conflict. The state is stored as JSON.
 */
export function saga<State>(): NewSaga<State> {
  return new NewSaga<State>();
}

/** A saga that has no beginning yet. */
export class NewSaga<State> {
  /**
   * The event that starts an instance, and its first state. The id of the instance is the event's contract key, or what
   * `id` answers; a second event with the same id starts nothing.
   *
   * @throws ConfigurationError when the class is no event, or has neither a key nor an `id`
   */
  startsOn<E extends object>(
    event: MessageClass<E>,
    state: (event: E) => State,
    options: { readonly id?: (event: E) => string } = {},
  ): SagaSteps<State> {
    return new SagaBuilder<State>(startOn(event, state, options.id), []);
  }
}

/** A saga that can be given a name, and then run. */
export interface UnnamedSaga<State> {
  /**
   * The definition, checked.
   *
   * @param name lower-case letters, digits and hyphens; it is part of stored keys, so it is fixed
   * @throws ConfigurationError for a saga without steps, or such a name
   */
  named(name: string): SagaDefinition<State>;
}

/** A saga before its pivot: its steps can be undone. */
export interface SagaSteps<State> extends UnnamedSaga<State> {
  /** The next step. Its command's replies must all have handlers. @throws ConfigurationError for a name used before */
  step(name: string, describe: (step: NewStep<State>) => FinishedStep): SagaSteps<State>;
  /** From here the saga only goes forward: no refusals, no compensation. */
  pivot(): ForwardSteps<State>;
  /**
   * The command that tells the outside of a failed saga, sent when everything is undone, again and again until it
   * succeeds. Without it the saga ends with its last compensation.
   */
  onCompensated(command: (state: State, failure: SagaFailure) => AnyCommand): UnnamedSaga<State>;
}

/** A saga after its pivot. */
export interface ForwardSteps<State> extends UnnamedSaga<State> {
  /** The next step, which ends with `.untilDone()`. @throws ConfigurationError for a name used before */
  step(name: string, describe: (step: NewForwardStep<State>) => FinishedStep): ForwardSteps<State>;
  /** As before the pivot. */
  onCompensated(command: (state: State, failure: SagaFailure) => AnyCommand): UnnamedSaga<State>;
}
