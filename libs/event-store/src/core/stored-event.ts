import type { Broker, Entry } from '@millrace/broker';
import { contractOf, decode } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { UnreadableEventError } from './errors.js';
import { revive } from './revive.js';

/** Position of a feed entry: the second half of its id. */
export function positionOf(entry: Entry): number {
  return Number(entry.id.slice(entry.id.indexOf('-') + 1));
}

/**
 * The message of a feed entry, brought to its current version by the inbound transforms.
 *
 * @throws UnreadableEventError that says where it stands
 */
export function openEntry(broker: Broker, entry: Entry, stream?: string): Envelope {
  try {
    return broker.receive(decode(entry.fields, entry.id, broker.limits));
  } catch (cause) {
    throw unreadable(entry, stream, 'event', (cause as Error).message, cause);
  }
}

/**
 * The event of a message as an instance of its class.
 *
 * @throws UnreadableEventError when it has a schema version that the class does not have
 */
export function eventOf(message: Envelope, contract: MessageClass, entry: Entry, stream?: string): object {
  const stored = message.schemaversion ?? 1;
  const { version } = contractOf(contract);
  if (stored !== version) {
    const reason = `has schema version ${stored}, ${contract.name} has ${version}: declare an upcast`;
    throw unreadable(entry, stream, message.type, reason);
  }
  return revive(contract, message.data);
}

export function unreadable(
  entry: Entry,
  stream: string | undefined,
  type: string,
  reason: string,
  cause?: unknown,
): UnreadableEventError {
  const where = {
    partition: entry.source.partition,
    position: positionOf(entry),
    ...(stream === undefined ? {} : { stream }),
  };
  return new UnreadableEventError(where, type, reason, { cause });
}
