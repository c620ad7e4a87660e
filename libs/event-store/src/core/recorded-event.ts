import type { Broker, Entry, Partition } from '@millrace/broker';
import type { Envelope } from '@millrace/messages';
import type { EventTypes } from './event-types.js';
import { eventOf, openEntry } from './stored-event.js';
import type { StoredEvent } from './stored-event.js';

/** An event as it was stored. */
export interface RecordedEvent<E extends object = object> {
  /** Unique per context. */
  readonly id: string;
  readonly type: string;
  /** An instance of its class, which nobody else has. */
  readonly data: E;
  /** Its stream; undefined for an event of none. */
  readonly stream: string | undefined;
  /** Its number in its stream, from 1; undefined where events are not read by stream. */
  readonly version: number | undefined;
  /** Its place in the feed of its partition, from 1. */
  readonly position: number;
  readonly partition: Partition;
  /** When it was written, by the clock of who wrote it. */
  readonly time: Date;
  readonly tags: readonly string[];
  /** Everything else that is known of it: correlation, cause, actor. */
  readonly message: Envelope;
}

/**
 * A promise only when the event holds personal data.
 *
 * @throws UnreadableEventError for one that is damaged, or of an unknown type or version
 */
export function recorded(
  broker: Broker,
  types: EventTypes,
  entry: Entry,
  stream?: string,
  version?: number,
): RecordedEvent | Promise<RecordedEvent> {
  const stored = openEntry(broker, entry, stream);
  return stored instanceof Promise
    ? stored.then((event) => toRecorded(types, event, stream, version))
    : toRecorded(types, stored, stream, version);
}

function toRecorded(
  types: EventTypes,
  stored: StoredEvent,
  stream: string | undefined,
  version: number | undefined,
): RecordedEvent {
  const { message, partition, position } = stored;
  return {
    id: message.id,
    type: message.type,
    data: eventOf(stored, types.classOf(stored)),
    stream: stream ?? message.subject,
    version,
    position,
    partition,
    time: new Date(message.time ?? 0),
    tags: message.tags === undefined || message.tags === '' ? [] : message.tags.split(' '),
    message,
  };
}
