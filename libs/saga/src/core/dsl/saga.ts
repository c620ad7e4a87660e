import type { MessageClass } from '@millrace/messages';
import { SagaBuilder } from './saga-builder.js';
import { startByCall, startOn } from './saga-start.js';
import type { SagaSteps } from './saga-steps.js';

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
   * The event, or the command to this service, that starts an instance, and its first state. The id of the instance is the
   * key of the message's contract, or what `id` answers; a second message with the same id starts nothing.
   *
   * A command is answered at the end, with the replies of `onCompleted` and `onCompensated`.
   *
   * @throws ConfigurationError when the class is a reply, or has neither a key nor an `id`
   */
  startsOn<E extends object>(
    message: MessageClass<E>,
    state: (message: E) => State,
    options: { readonly id?: (message: E) => string } = {},
  ): SagaSteps<State, E> {
    return new SagaBuilder<State, E>(startOn(message, state, options.id));
  }

  /**
   * An instance is started by `Sagas.start` and by other sagas only, with an input that is plain data.
   *
   * @param options.id the id of the instance that an input starts; without it whoever starts one says the id
   */
  startsByCall<Input extends object>(
    state: (input: Input) => State,
    options: { readonly id?: (input: Input) => string } = {},
  ): SagaSteps<State, Input> {
    return new SagaBuilder<State, Input>(startByCall(state, options.id));
  }
}
