import { StoreUnavailableError } from '@millrace/broker';
import type { Broker, Entry, Partition, StreamSlice } from '@millrace/broker';
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

/** Position of a feed entry: the second half of its id. Read digit by digit, as a replay does it for each event. */
export function positionOf({ id }: Entry): number {
  let position = 0;
  for (let i = id.indexOf('-') + 1; i < id.length; i++) position = position * 10 + id.charCodeAt(i) - 0x30;
  return position;
}

/** @throws UnreadableEventError when events of the page are not in the feed, nor in an archive that the store reads from */
export function checkWhole(partition: Partition, stream: string, { removed }: StreamSlice): void {
  const first = removed?.[0];
  if (first) throw goneEvent({ partition, position: first.position, stream }, `version ${first.version}`);
}

/** What says that an event is neither in the feed nor in an archive that the store reads from. */
export function goneEvent(place: EventPlace, which = 'it'): UnreadableEventError {
  const reason =
    `${which} is no longer in the feed: it was archived or removed by hand; ` +
    `give this service the archive (retention.feed.archive)`;
  return new UnreadableEventError(place, 'event', reason);
}

/**
 * A promise only when the event holds personal data.
 *
 * @throws UnreadableEventError that says where the entry stands
 */
export function openEntry(broker: Broker, entry: Entry, stream?: string): StoredEvent | Promise<StoredEvent> {
  try {
    const message = broker.openStored(entry);
    if (!(message instanceof Promise)) return placed(entry, stream, message);
    return message.then(
      (opened) => placed(entry, stream, opened),
      (cause: unknown) => {
        throw unreadable(entry, stream, cause);
      },
    );
  } catch (cause) {
    throw unreadable(entry, stream, cause);
  }
}

function placed(entry: Entry, stream: string | undefined, message: Envelope): StoredEvent {
  const { partition } = entry.source;
  const position = positionOf(entry);
  return stream === undefined ? { partition, position, message } : { partition, position, stream, message };
}

function unreadable(entry: Entry, stream: string | undefined, cause: unknown): unknown {
  if (cause instanceof StoreUnavailableError) return cause;
  const place = {
    partition: entry.source.partition,
    position: positionOf(entry),
    ...(stream === undefined ? {} : { stream }),
  };
  return new UnreadableEventError(place, 'event', (cause as Error).message, { cause });
}

/**
 * The event as an instance of its class, which nobody else has.
 *
 * @throws UnreadableEventError when it has a schema version that the class does not have
 */
export function eventOf(event: StoredEvent, of: EventClass): object {
  return reviveChecked(event, of, ownOf(event.message.data as object));
}

/** As {@link eventOf}, of a message that is read once: nested values are those of the message, which saves a copy. */
export function eventOnceOf(event: StoredEvent, of: EventClass): object {
  return reviveChecked(event, of, event.message.data as object);
}

function reviveChecked(event: StoredEvent, { contract, version }: EventClass, data: object): object {
  const { message } = event;
  const stored = message.schemaversion ?? 1;
  if (stored !== version) {
    const reason = `has schema version ${stored}, ${contract.name} has ${version}: declare an upcast`;
    throw new UnreadableEventError(event, message.type, reason);
  }
  return revive(contract, data);
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
