import type { Broker, Partition } from '@millrace/broker';

/** How far a build is on one partition. Retention reads `position`. */
export interface Checkpoint {
  /** Position of the last event in the view. */
  readonly position: number;
  /** Head of the feed when the build began here: up to it events are replayed. */
  readonly replayTo: number;
  /** Events that are noted instead of projected. */
  readonly parked: number;
  /** The build has been removed: who still runs it is to leave it alone. */
  readonly removed?: true;
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
