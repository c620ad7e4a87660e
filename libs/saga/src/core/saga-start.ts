import { ConfigurationError, NonRetryableError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { isSagaId } from './command-id.js';
import type { SagaStart } from './definition.js';

/** Which event starts an instance, which one, and with which state. */
export function startOn<E extends object, State>(
  event: MessageClass<E>,
  state: (event: E) => State,
  id?: (event: E) => string,
): SagaStart<State> {
  return { event, id: identify(event, id), state: state as (event: object) => State };
}

function identify<E extends object>(event: MessageClass<E>, id?: (event: E) => string): (event: object) => string {
  const { kind, type, key } = contractOf(event);
  if (kind !== 'event') throw new ConfigurationError(`a saga starts on an event, and ${type} is a ${kind}`);
  if (!id && key === undefined) {
    throw new ConfigurationError(
      `${type} has no key to identify the saga by: declare @Event('${type}', { key: '...' }), or pass { id }`,
    );
  }
  const read = (id ?? ((of: E) => of[key as keyof E])) as (event: object) => unknown;
  return (of) => {
    const value = read(of);
    if ((typeof value === 'string' || typeof value === 'number') && isSagaId(String(value))) return String(value);
    throw new NonRetryableError(`${type} identifies no saga: its id is ${JSON.stringify(value)}`);
  };
}
