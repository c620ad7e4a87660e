import { StoreUnavailableError } from '@millrace/broker';
import type { Broker, Entry } from '@millrace/broker';
import { revive } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { UnreadableEventError } from './errors.js';
import type { EventPlace } from './errors.js';

/** An event of the feed, read but not yet of its class. */
export interface StoredEvent extends EventPlace {
  /** Brought to its current version by the `stored` transforms. */
  readonly message: Envelope;
}

/** A class of events, with the schema version it has. */
export interface EventClass {
  readonly contract: MessageClass;
  readonly version: number;
}

/** Position of a feed entry: the second half of its id. */
export function positionOf(entry: Entry): number {
  return Number(entry.id.slice(entry.id.indexOf('-') + 1));
}

/**
 * A promise only when the event holds personal data.
 *
 * @throws UnreadableEventError that says where the entry stands
 */
export function openEntry(broker: Broker, entry: Entry, stream?: string): StoredEvent | Promise<StoredEvent> {
  const where = {
    partition: entry.source.partition,
    position: positionOf(entry),
    ...(stream === undefined ? {} : { stream }),
  };
  const unreadable = (cause: unknown): unknown =>
    cause instanceof StoreUnavailableError
      ? cause
      : new UnreadableEventError(where, 'event', (cause as Error).message, { cause });
  try {
    const message = broker.openStored(entry);
    if (!(message instanceof Promise)) return { ...where, message };
    return message.then(
      (opened) => ({ ...where, message: opened }),
      (cause: unknown) => {
        throw unreadable(cause);
      },
    );
  } catch (cause) {
    throw unreadable(cause);
  }
}

/**
 * The event as an instance of its class, which nobody else has.
 *
 * @throws UnreadableEventError when it has a schema version that the class does not have
 */
export function eventOf(event: StoredEvent, { contract, version }: EventClass): object {
  const { message } = event;
  const stored = message.schemaversion ?? 1;
  if (stored !== version) {
    const reason = `has schema version ${stored}, ${contract.name} has ${version}: declare an upcast`;
    throw new UnreadableEventError(event, message.type, reason);
  }
  return revive(contract, ownOf(message.data as object));
}

/** JSON as deep as it goes: several times as fast as `structuredClone`. */
function copyOf<T>(data: T): T {
  if (typeof data !== 'object' || data === null) return data;
  if (Array.isArray(data)) return data.map(copyOf) as T;
  const copy: Record<string, unknown> = {};
  for (const key in data) copy[key] = copyOf(data[key]);
  return copy as T;
}

/** `revive` itself copies the first level, and most events have no second one. */
function ownOf(data: object): object {
  for (const value of Object.values(data)) if (typeof value === 'object') return copyOf(data);
  return data;
}
