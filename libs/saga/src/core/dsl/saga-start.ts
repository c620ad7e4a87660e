import { ConfigurationError, NonRetryableError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { isSagaId } from '../command-id.js';
import type { SagaStart } from '../definition.js';

/** Which message starts an instance, which one, and with which state. */
export function startOn<E extends object, State>(
  message: MessageClass<E>,
  state: (message: E) => State,
  id?: (message: E) => string,
): SagaStart<State> {
  const { kind, type } = contractOf(message);
  if (kind === 'reply')
    throw new ConfigurationError(`a saga starts on an event or a command, and ${type} is a ${kind}`);
  return { on: message, id: identify(message, id), state: state as (message: object) => State };
}

/** Instances that are started by a call. */
export function startByCall<Input extends object, State>(
  state: (input: Input) => State,
  id?: (input: Input) => string,
): SagaStart<State> {
  const read = id as ((input: object) => unknown) | undefined;
  return {
    on: undefined,
    id: (input) => {
      if (!read)
        throw new ConfigurationError('this saga has no rule for ids: start it with { id }, or give startsByCall one');
      return checkedId(read(input), 'the input');
    },
    state: state as (input: object) => State,
  };
}

/**
 * The id of the instance that a message is for.
 *
 * @throws ConfigurationError when its class has neither a key nor an `id`
 */
export function identify<E extends object>(
  message: MessageClass<E>,
  id?: (message: E) => string,
): (message: object) => string {
  const { kind, type, key } = contractOf(message);
  if (!id && key === undefined) {
    const decorator = kind === 'event' ? 'Event' : 'Command';
    throw new ConfigurationError(
      `${type} has no key to identify the saga by: declare @${decorator}('${type}', { key: '...' }), or pass { id }`,
    );
  }
  const read = (id ?? ((of: E) => of[key as keyof E])) as (message: object) => unknown;
  return (of) => checkedId(read(of), type);
}

/** @throws NonRetryableError when it is no id */
function checkedId(id: unknown, what: string): string {
  if ((typeof id === 'string' || typeof id === 'number') && isSagaId(String(id))) return String(id);
  throw new NonRetryableError(`${what} identifies no saga: its id is ${JSON.stringify(id)}`);
}
