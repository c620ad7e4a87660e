import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { Code, CodeNode, WaitNode } from '../definition.js';
import { SagaBuilder } from '../dsl/saga-builder.js';
import { identify, startByCall, startOn } from '../dsl/saga-start.js';
import type { UnnamedSaga } from '../dsl/unnamed-saga.js';
import type { CodeSteps } from './code-steps.js';
import type { CodeState } from './code-state.js';
import type { Stored } from './stored.js';
import { stored } from './stored.js';

/**
 * Describes a saga as code: an async function, which does everything that it does to the world by operations of `saga`.
 *
 * ```ts
 * sagaOf(TripRequested, async (saga, trip) => {
 *   const room = await saga.step('book room', ({ idempotencyKey }) => hotels.book(trip.hotel, idempotencyKey),
 *     (room, { undoes }) => hotels.cancel(undoes));
 *   await saga.send('book seat', new BookSeat(trip.flight), { undo: () => new CancelSeat(trip.flight) });
 *   return { room: room.id };
 * });
 * ```
 *
 * The function is run from its beginning for every input, with the answers that were recorded. So besides its operations it is to
 * depend on its input only, and to change nothing. When it lets a refusal through, everything is undone in reverse order.
 *
 * @param message the event, or the command to this service, that starts an instance
 * @throws ConfigurationError when the class is a reply, or has neither a key nor an `id`; for a wait for what is no event
 */
export function sagaOf<E extends object, Output>(
  message: MessageClass<E>,
  code: (saga: CodeSteps, message: E) => Promise<Output>,
  { id, ...options }: CodeOptions & { readonly id?: (message: E) => string } = {},
): UnnamedSaga<CodeState<Stored<E>, Stored<Output>>, E> {
  const start = startOn<E, CodeState<Stored<E>, Stored<Output>>>(message, stateOf, id);
  return new SagaBuilder<CodeState<Stored<E>, Stored<Output>>, E>(start, [nodeOf(code, message, options)]);
}

/**
 * As {@link sagaOf}; an instance is started by `Sagas.start` and by other sagas only, with an input that is plain data.
 *
 * @param options.id the id of the instance that an input starts; without it whoever starts one says the id
 */
export function sagaByCall<Input extends object, Output>(
  code: (saga: CodeSteps, input: Stored<Input>) => Promise<Output>,
  { id, ...options }: CodeOptions & { readonly id?: (input: Input) => string } = {},
): UnnamedSaga<CodeState<Stored<Input>, Stored<Output>>, Input> {
  const start = startByCall<Input, CodeState<Stored<Input>, Stored<Output>>>(stateOf, id);
  return new SagaBuilder<CodeState<Stored<Input>, Stored<Output>>, Input>(start, [nodeOf(code, undefined, options)]);
}

export interface CodeOptions {
  /** The events that the code waits for. Default of an event's `id`: the key of its contract. */
  readonly waitsFor?: readonly (MessageClass | DeclaredWait)[];
  /** The classes of the commands that it sends, for descriptions of the service: code does not tell before it runs. */
  readonly sends?: readonly MessageClass[];
}

export interface DeclaredWait {
  readonly event: MessageClass;
  /** The id of the instance that an event is for. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of the event beside it
  readonly id: (event: any) => string;
}

function stateOf<S>(input: object): S {
  return { input: stored(input) } as S;
}

function nodeOf<State>(
  code: unknown,
  input: MessageClass | undefined,
  { waitsFor = [], sends = [] }: CodeOptions,
): CodeNode<State> {
  if (typeof code !== 'function') {
    throw new ConfigurationError(`a saga of code is given ${typeof code} in place of its function`);
  }
  const waits = waitsFor.map((each) => waitOf<State>('event' in each ? each : { event: each, id: undefined }));
  return { kind: 'code', name: 'code', code: code as Code, input, waits, sends };
}

function waitOf<State>({
  event,
  id,
}: {
  event: MessageClass;
  id: ((event: never) => string) | undefined;
}): WaitNode<State> {
  const { type, kind } = contractOf(event);
  if (kind !== 'event')
    throw new ConfigurationError(`a saga waits for ${type}, which is a ${kind}: only events are waited for`);
  return {
    kind: 'wait',
    name: type,
    event,
    id: identify(event, id as never),
    take: (state) => state,
    withinMs: undefined,
  };
}
