import type { Broker, Entry, Partition } from '@millrace/broker';
import type { Envelope } from '@millrace/messages';
import { positionOf } from './stored-event.js';

/** An event that a projection could not take and went on without. */
export interface ParkedEvent {
  /** The build: `<projection>.v<version>`. */
  readonly projection: string;
  readonly partition: Partition;
  readonly position: number;
  /** Type, key and id of the message, where they could be read. */
  readonly type: string | undefined;
  readonly key: string | undefined;
  readonly id: string | undefined;
  /** What went wrong the last time. */
  readonly error: string;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** When it was parked, ms since 1970. */
  readonly at: number;
}

/** The view that holds the parked events of a build: a row for each, by position. */
export function parkedView(build: string): string {
  return `${build}.parked`;
}

/** What to note of an event that failed. */
export function parkedEventOf(
  broker: Broker,
  build: string,
  entry: Entry,
  error: Error,
  attempts: number,
): ParkedEvent {
  const message = readable(broker, entry);
  return {
    projection: build,
    partition: entry.source.partition,
    position: positionOf(entry),
    type: message?.type,
    key: message?.partitionkey,
    id: message?.id,
    error: error.message,
    attempts,
    at: broker.clock.now(),
  };
}

function readable(broker: Broker, entry: Entry): Envelope | undefined {
  try {
    return broker.open(entry);
  } catch {
    return undefined;
  }
}
