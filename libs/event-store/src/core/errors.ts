import { addressOf, MillraceError } from '@millrace/broker';
import type { Partition } from '@millrace/broker';

/**
 * A stored event cannot be understood: its type is unknown, or its schema version has no upcaster. Nothing was written.
 * Declare what is missing; the event stays as it is.
 */
export class UnreadableEventError extends MillraceError {
  override readonly name = 'UnreadableEventError';
  readonly code = 'unreadable-event';

  constructor(
    readonly where: { readonly partition: Partition; readonly position: number; readonly stream?: string },
    readonly type: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    const stream = where.stream === undefined ? '' : `stream ${where.stream}, `;
    super(`${stream}${addressOf(where.partition)} position ${where.position}, ${type}: ${reason}`, options);
  }
}
