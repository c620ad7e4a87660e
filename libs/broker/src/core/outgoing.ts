import { contextOf, contractOf, keyOf } from '@millrace/messages';
import type { EnvelopeInit } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Encoded } from './message-writer.js';
import { ConfigurationError } from './errors.js';
import type { Source } from './partition.js';

/** A message that is complete, and the log it goes to. */
export interface Outgoing extends Encoded {
  readonly to: Source;
}

/**
 * Completes an event or a command and finds its log: the feed of this context for an event, the inbox of the context that it
 * is addressed to for a command.
 *
 * @throws MessageError when it breaks its contract
 * @throws ConfigurationError for a reply, for an event of another context, and when an outbound transform does not leave it the one
 *   message it is
 */
export async function outgoing(broker: Broker, message: object, attributes: Partial<EnvelopeInit>): Promise<Outgoing> {
  const { kind, type } = contractOf(message);
  if (kind === 'reply') throw new ConfigurationError(`${type} is a reply: only events and commands can be scheduled`);
  const encoded = await broker.messages.encodeScheduled(message, attributes);
  const { envelope } = encoded;
  if (kind === 'command') return { ...encoded, to: { partition: await broker.inboxFor(envelope), log: 'in' } };
  checkOwn(broker, envelope.type);
  return { ...encoded, to: { partition: broker.partitionFor(keyOf(envelope)), log: 'feed' } };
}

/** @throws ConfigurationError for an event of another context */
export function checkOwn(broker: Broker, type: string): void {
  if (contextOf(type) === broker.context) return;
  throw new ConfigurationError(
    `event ${type} belongs to context '${contextOf(type)}', this service is '${broker.context}': ` +
      `a context publishes its own events only`,
  );
}
