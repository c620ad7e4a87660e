import type { Envelope } from '@millrace/messages';
import type { Acknowledger } from './acknowledger.js';
import type { Broker } from './broker.js';
import type { RetryRecord } from './commit.js';
import type { Message } from './decision.js';
import type { GroupSettings } from './group-options.js';
import type { HandlerGroup } from './handler.js';
import type { Logger } from './logger.js';
import type { Origin } from './origin.js';
import type { ParkedKeys } from './parked-keys.js';
import type { Entry } from './partition.js';

/** An entry on its way to a commit. */
export interface Delivery {
  readonly entry: Entry;
  /** What reading the entry gave; it is read again after {@link forget}. */
  readonly received: Received;
  /** Tells whether the partition is to be left to another process. */
  readonly place: { readonly leaving: boolean };
  /** Under which it was read, even if the lease has changed since; undefined where no lease is needed. */
  readonly epoch: number | undefined;
  /** What earlier attempts left behind. */
  retry: RetryRecord | undefined;
  readonly deliveries: number;
  /** Whether its turn has come. */
  begun: boolean;
  /**
   * Reads it again after it has been let go of. False when the service has stopped. What was deleted meanwhile has only to be
   * acknowledged.
   */
  reload(): Promise<boolean>;
  /** Lets go of the message, which is in the entry still. */
  forget(): void;
  /** How it has ended here. */
  end(outcome: Outcome): void;
}

/** How an entry ended here. */
export type Outcome = 'settled' | 'lease-lost' | 'abandoned';

/** What reading an entry gave: a message with its handler, or the reason why there is none. */
export type Received =
  | Message
  | { readonly kind: 'irrelevant'; readonly key: string }
  | {
      readonly kind: 'refused';
      readonly key: string;
      /** Absent when not even that could be read. */
      readonly envelope: Envelope | undefined;
      readonly origin: Origin | undefined;
      readonly reason: string;
      readonly error: unknown;
    };

/** What everything that happens to the messages of one group in one process knows. */
export interface GroupScope {
  readonly broker: Broker;
  readonly group: HandlerGroup;
  readonly settings: GroupSettings;
  readonly logger: Logger;
  /** Where entries go about which nothing was decided but that they are done. */
  readonly acknowledger: Acknowledger;
  /** Keys that are held back; undefined where none is ever. */
  readonly parked: ParkedKeys | undefined;
  /** Aborted when the service stops: waits end, what is not settled stays pending for the next start. */
  readonly stopping: AbortSignal;
  /** Aborted when the service no longer waits for handlers that run. */
  readonly abandoning: AbortSignal;
}
