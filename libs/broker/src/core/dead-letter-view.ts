import { decode } from '@millrace/messages';
import type { Envelope, MessageLimits } from '@millrace/messages';
import type { DeadLetter } from './commit.js';
import type { DeadLetterReason } from './dead-letter-reason.js';
import type { KeptLetter } from './dead-letter-store.js';
import { addressOf, parseAddress } from './partition.js';
import type { Partition } from './partition.js';

/** A dead letter as people and programs see it. */
export interface DeadLetterView extends DeadLetter {
  /** Unique in the system: `<context>/<partition>/<id in the partition>`. */
  readonly id: string;
  /** The message as it was written; undefined when it cannot be read. */
  readonly message: Envelope | undefined;
}

/** Which dead letters are meant; all conditions have to hold. */
export interface DeadLetterFilter {
  /**
   * Name of the group: in full, as it stands in the letter, `order.mailer`, or, for a group of this service, as its handlers
   * write it, `mailer`.
   */
  readonly group?: string;
  /** One that is known, the code of a `NonRetryableError`, or one of another version. */
  readonly reason?: DeadLetterReason;
  /** Type of the message. */
  readonly type?: string;
  /** Key of the message. */
  readonly key?: string;
  /** Context whose log the message stood in. */
  readonly context?: string;
  /** Given up at this time or later. */
  readonly from?: Date | number;
  /** Given up before this time. */
  readonly to?: Date | number;
}

/** @param filter with the full name of the group */
export function matches(letter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { group, reason, type, key, context, from, to } = filter;
  return (
    (group === undefined || letter.group === group) &&
    (reason === undefined || letter.reason === reason) &&
    (type === undefined || letter.type === type) &&
    (key === undefined || letter.key === key) &&
    (context === undefined || letter.entry.source.partition.context === context) &&
    (from === undefined || letter.last >= Number(from)) &&
    (to === undefined || letter.last < Number(to))
  );
}

/** Where a dead letter is kept. */
export interface LetterPlace {
  readonly partition: Partition;
  readonly id: string;
}

export function formatLetterId({ partition, id }: LetterPlace): string {
  return `${addressOf(partition)}/${id}`;
}

/** Reads an id; undefined when it is none. */
export function parseLetterId(text: string): LetterPlace | undefined {
  const [, address, id] = /^([^/]+\/[^/]+)\/(\d{1,20}-\d{1,20})$/.exec(text) ?? [];
  const partition = address === undefined ? undefined : parseAddress(address);
  return partition && { partition, id: id! };
}

export function viewOf(partition: Partition, letter: KeptLetter, limits: MessageLimits): DeadLetterView {
  return { ...letter, id: formatLetterId({ partition, id: letter.id }), message: messageOf(letter, limits) };
}

/** The message of a dead letter, if it can be read. */
export function messageOf({ fields, entry }: DeadLetter, limits: MessageLimits): Envelope | undefined {
  try {
    return decode(fields, entry.id, limits);
  } catch {
    return undefined;
  }
}
