import { HandlingContext } from '@millrace/broker';
import type { Envelope } from '@millrace/messages';
import type { Entry, MessageContext, Partition } from '@millrace/broker';

/** What the method of a projection can know about an event beside its data. */
export interface ProjectionContext extends MessageContext {
  readonly partition: Partition;
  /** 0 in the commit that appends the event, which has no position yet (`mode: 'inline'`). */
  readonly position: number;
  /** The view that is written: `<projection>.v<version>`, or a further build of it. */
  readonly build: string;
  /**
   * True for an event that was there before the build began, and for every event of a build that does not serve. What a
   * method does beside its view it does again then, so it is to leave that: effects belong in handlers, with retries and
   * dead letters.
   */
  readonly isReplay: boolean;
}

export class ProjectingContext extends HandlingContext implements ProjectionContext {
  readonly partition: Partition;

  constructor(
    envelope: Envelope,
    entry: Entry,
    readonly position: number,
    attempt: number,
    readonly build: string,
    readonly isReplay: boolean,
  ) {
    super(envelope, entry, attempt);
    this.partition = entry.source.partition;
  }
}
