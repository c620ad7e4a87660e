import { createHash } from 'node:crypto';
import type { Broker, Entry, Partition } from '@millrace/broker';
import { LogRewoundError } from './errors.js';
import { positionOf } from './stored-event.js';

/** How far a build is on one partition. Retention reads `position`. */
export interface Checkpoint {
  /** Position of the last event in the view. */
  readonly position: number;
  /** Head of the feed when the build began here: up to it events are replayed. */
  readonly replayTo: number;
  /** Events that are noted instead of projected. */
  readonly parked: number;
  /** Digest of the event at `position`, by which a feed is known that was set back. Absent: none was projected since it is noted. */
  readonly last?: string;
  /** The build has been removed: who still runs it is to leave it alone. */
  readonly removed?: true;
  /** The database that has the rows, when it is another one. This is a copy of its checkpoint then. */
  readonly in?: string;
}

export interface LocatedCheckpoint extends Checkpoint {
  /** 0: the build has not begun. */
  readonly revision: number;
}

/** The state that holds it. */
export function checkpointName(build: string): string {
  return `checkpoint.${build}`;
}

export async function readCheckpoint(broker: Broker, partition: Partition, build: string): Promise<LocatedCheckpoint> {
  const stored = await broker.store.readState(partition, checkpointName(build));
  if (!stored) return { position: 0, replayTo: 0, parked: 0, revision: 0 };
  return { replayTo: 0, parked: 0, ...(JSON.parse(stored.value) as { position: number }), revision: stored.revision };
}

export function digestOf({ fields }: Entry): string {
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, 22);
}

/** @throws LogRewoundError when the feed is not the one that the checkpoint was taken in */
export async function checkNotRewound(
  { store }: Broker,
  partition: Partition,
  { position, last, revision }: LocatedCheckpoint,
): Promise<void> {
  if (revision === 0 || position === 0) return;
  const [entry] = await store.readFeed(partition, position - 1, 1);
  // One that was removed by retention cannot be looked at.
  if (entry && (positionOf(entry) > position || last === undefined || digestOf(entry) === last)) return;
  const head = await store.head(partition);
  throw new LogRewoundError(partition, position, head);
}
