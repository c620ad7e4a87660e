import type { Checkpoint } from './checkpoint.js';
import type { ParkedEvent } from './parked-event.js';

/** A build of a projection, by the name that no other build of the context has: `products.v2`. */
export interface ViewBuild {
  readonly context: string;
  readonly build: string;
}

/** What one partition of the context adds to a build. It has a checkpoint of its own. */
export interface ViewPlace extends ViewBuild {
  /** Index of the partition. */
  readonly partition: number;
}

/** A transaction that is open, as the work in it sees it. */
export interface ViewTransaction<Handle> {
  /** What the methods of the projection write with. */
  readonly handle: Handle;
  /** As stored; nobody else changes it before this transaction has ended. Undefined: the build has not begun here. */
  readonly checkpoint: Checkpoint | undefined;
  /** The note of an event that was parked here; undefined when it is not parked (any more). */
  parked(position: number): Promise<ParkedEvent | undefined>;
}

/** What a transaction changes beside the rows that its work has written. */
export interface ViewChange {
  readonly checkpoint: Checkpoint;
  /** Notes an event, or replaces its note. */
  readonly park?: ParkedEvent;
  /** Position of the event whose note goes. */
  readonly unpark?: number;
}

/**
 * A database that holds the rows of projections, and with them how far each build is: both change in one transaction, so
 * each event changes the rows exactly once. Port of {@link ExternalProjection}; an adapter passes `describeViewDatabase`
 * of `@millrace/testing`.
 *
 * Every method rejects with a `StoreUnavailableError` when the database did not answer or could not do it now, and nothing
 * has changed.
 *
 * @typeParam Handle what writes within a transaction, e.g. a client of the database
 */
export interface ViewDatabase<Handle> {
  /** For messages: `PostgreSQL`. */
  readonly name: string;

  /** How far a build is; undefined when it has not begun. May be behind a transaction under way. */
  checkpoint(place: ViewPlace): Promise<Checkpoint | undefined>;

  /**
   * Does the work in one transaction and commits what it answers. Transactions of one place run one after the other,
   * whatever process they are of. Undefined: nothing is to change, and what has been written is taken back.
   *
   * @throws what `work` throws: everything is taken back
   * @throws StoreUnavailableError instead, when the error is one of the database that is not the work's fault
   * @throws UnknownOutcomeError when the answer to the commit was lost: the checkpoint says what has become of it, to a
   * transaction at once, to {@link checkpoint} as soon as the database has finished it
   */
  transact(
    place: ViewPlace,
    work: (transaction: ViewTransaction<Handle>) => Promise<ViewChange | undefined>,
  ): Promise<void>;

  /** Makes room for a build, once: `create` makes what its rows stand in. Does nothing when there is room. */
  begin(build: ViewBuild, create: (handle: Handle) => Promise<void>): Promise<void>;

  /**
   * Removes all of a build. Its checkpoints stay as removed ones, for processes that still run it. May be repeated.
   *
   * @param partitions how many the context has
   */
  drop(build: ViewBuild, partitions: number): Promise<void>;

  /** Reads rows of a build, all as of one moment. */
  read<T>(build: ViewBuild, work: (handle: Handle) => Promise<T>): Promise<T>;

  /** The events that a build has gone on without, oldest first in each partition. */
  parked(build: ViewBuild): Promise<readonly ParkedEvent[]>;
}
