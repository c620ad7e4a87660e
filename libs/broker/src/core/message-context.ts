import type { Envelope } from '@millrace/messages';
import type { EntryRef } from './partition.js';

/** What a handler can know about the message beside its data. */
export interface MessageContext {
  readonly envelope: Envelope;
  readonly entry: EntryRef;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** How often it has been run in this attempt and what it decided refused, because somebody else was faster. Default 0. */
  readonly conflicts?: number;
  /**
   * Aborted when nobody waits for the handler any more: it took longer than `handlerTimeoutMs`, or the service stops and
   * has waited `drainMs` for it.
   */
  readonly signal: AbortSignal;
  /** Whether it is. Asking for the signal makes one, which costs more than to know this. */
  readonly isAborted?: boolean;
}
