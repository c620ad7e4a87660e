import { addressOf, MillraceError } from '@millrace/broker';
import type { Partition } from '@millrace/broker';

/** Where an event stands. */
export interface EventPlace {
  readonly partition: Partition;
  readonly position: number;
  readonly stream?: string;
}

/**
 * A stored event cannot be understood: its type is unknown, or its schema version has no upcaster. Nothing was written.
 * Declare what is missing; the event stays as it is.
 */
export class UnreadableEventError extends MillraceError {
  override readonly name = 'UnreadableEventError';
  readonly code = 'unreadable-event';
  readonly partition: Partition;
  readonly position: number;
  readonly stream: string | undefined;

  constructor(
    { partition, position, stream }: EventPlace,
    readonly type: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    const of = stream === undefined ? '' : `stream ${stream}, `;
    super(`${of}${addressOf(partition)} position ${position}, ${type}: ${reason}`, options);
    this.partition = partition;
    this.position = position;
    this.stream = stream;
  }
}

/**
 * A checkpoint is ahead of its feed, or the event it stands at is another one now: the feed was set back (a failover that lost
 * its newest events, a backup) after these had been projected. The view holds what has not happened any more. Restore the feed,
 * or build the view anew from the feed as it is: `rebuild()`, or count its version up.
 */
export class LogRewoundError extends MillraceError {
  override readonly name = 'LogRewoundError';
  readonly code = 'log-rewound';

  constructor(
    readonly partition: Partition,
    /** Position of the checkpoint. */
    readonly position: number,
    /** Last position of the feed. */
    readonly head: number,
  ) {
    const at = `${addressOf(partition)} position ${position}`;
    super(
      (head < position
        ? `this projection has had ${at}, and the feed ends at ${head}`
        : `this projection has had another event at ${at} than the one that is there now`) +
        `: the feed has lost its newest events. Restore them, or build the view anew (rebuild, or count its version up)`,
    );
  }
}

/**
 * Events between what a projection has reached and the first one that is left have been removed: it expired as a reader, or
 * somebody trimmed the feed by hand. Its view cannot be completed. Restore the events, or count its version up to build it
 * from what is left.
 */
export class MissingEventsError extends MillraceError {
  override readonly name = 'MissingEventsError';
  readonly code = 'missing-events';

  constructor(
    readonly partition: Partition,
    readonly from: number,
    readonly to: number,
  ) {
    super(
      `events ${from} to ${to} of ${addressOf(partition)} have been removed before this projection had them: restore them, ` +
        `or count its version up to build the view from what is left`,
    );
  }
}

/**
 * A projection has not reached an event in the time given. It may be behind, stopped by an event that fails, or run by
 * nobody: its status and its log say which.
 */
export class ProjectionBehindError extends MillraceError {
  override readonly name = 'ProjectionBehindError';
  readonly code = 'projection-behind';

  constructor(
    /** The build that was waited for. */
    readonly projection: string,
    readonly partition: Partition,
    /** The position that was waited for, the one reached, and that of the last event there is. */
    readonly wanted: number,
    readonly reached: number,
    readonly head: number,
    timeoutMs: number,
  ) {
    super(
      `projection ${projection} has not reached position ${wanted} of ${addressOf(partition)} in ${timeoutMs} ms: it is at ` +
        `${reached}, the last event at ${head}. Look at its status and its log, or wait longer`,
    );
  }
}

/** What was asked for is not possible with the builds that a projection has. Nothing was changed. */
export class ProjectionBuildError extends MillraceError {
  override readonly name = 'ProjectionBuildError';
  readonly code = 'projection-build';
}

/**
 * What the methods of a projection did with the transaction of another database does not let it be committed: a statement has
 * failed, which they have ignored, or they have ended the transaction themselves. What they have written was taken back, except
 * what they have committed. Let errors of statements through, or set a savepoint, and leave COMMIT and ROLLBACK alone.
 */
export class BrokenTransactionError extends MillraceError {
  override readonly name = 'BrokenTransactionError';
  readonly code = 'broken-transaction';

  constructor(reason: string, options?: ErrorOptions) {
    super(
      `the transaction of this projection cannot be committed: ${reason}. Let errors of statements through, or set a ` +
        `savepoint, and leave COMMIT and ROLLBACK to the projection`,
      options,
    );
  }
}
