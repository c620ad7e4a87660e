import type { Partition } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import type { ParkedEvent } from './parked-event.js';

/** How one build of a projection stands on one partition. */
export interface ProjectionStatus {
  /** The build: `<projection>.v<version>`. */
  readonly projection: string;
  readonly role: BuildRole;
  readonly partition: Partition;
  /** Position of the last event in the view. */
  readonly position: number;
  /** Events that are noted instead of projected. */
  readonly parked: number;
  /** Set while the projection cannot get past an event, or cannot reach the store. */
  readonly failure: ProjectionFailure | undefined;
}

export interface ProjectionFailure {
  /** The event that fails; undefined when the store does. */
  readonly position: number | undefined;
  readonly attempts: number;
  readonly error: Error;
  /** When it is tried again, ms since 1970. */
  readonly due: number;
}

/** What may be told about a projection that runs. */
export interface ProjectionListener {
  /** It cannot go on; told at each attempt. It goes on trying. */
  failed?(status: ProjectionStatus): void;
  /** It has gone on without an event. */
  parked?(event: ParkedEvent): void;
  /** A build has caught up and serves now. */
  switched?(from: string, to: string): void;
}
