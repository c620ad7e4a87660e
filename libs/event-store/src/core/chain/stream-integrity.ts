import { addressOf } from '@millrace/broker';
import type { Partition } from '@millrace/broker';

/** The end of a chained stream. Kept elsewhere, it tells later whether the stream still has these events. */
export interface ChainHead {
  /** Events of the stream. */
  readonly version: number;
  /** The chain value of the last of them. */
  readonly chain: string;
}

interface Verified {
  readonly stream: string;
  readonly partition: Partition;
  /** Events that the stream has. */
  readonly version: number;
}

/** Every event is the one that was appended, from the first one that was chained on. */
export interface IntactStream extends Verified {
  readonly status: 'intact';
  /** The first version that the chain covers. 1: all. */
  readonly from: number;
  readonly head: ChainHead;
}

/** No event carries a chain value, so nothing can be said of them. */
export interface UnchainedStream extends Verified {
  readonly status: 'unchained';
}

/**
 * What is wrong with an event:
 * - `changed`: its chain value does not come from the event before it and its own text. One of the two was changed, or an event
 *   was removed, inserted or moved here
 * - `missing`: the stream lists it, and it is neither in the feed nor in the archive
 * - `unchained`: it carries no chain value, though one before it does
 * - `truncated`: the stream ends before it, and had it when its head was kept
 * - `other`: it is not the one that it was when its head was kept
 */
export type ChainBreak = 'changed' | 'missing' | 'unchained' | 'truncated' | 'other';

export interface BrokenStream extends Verified {
  readonly status: 'broken';
  readonly reason: ChainBreak;
  /** The first version at which something is wrong. What comes behind it has not been looked at. */
  readonly at: number;
  /** The chain value that this event must have; undefined where none can be said. */
  readonly expected: string | undefined;
  /** The one that it has; undefined: none. */
  readonly found: string | undefined;
}

export type StreamIntegrity = IntactStream | UnchainedStream | BrokenStream;

/** A sentence for people. */
export function describeIntegrity(verified: StreamIntegrity): string {
  const { stream, partition, version } = verified;
  const what = `stream ${stream} in ${addressOf(partition)}`;
  if (verified.status === 'unchained') return `${what}: unchained, ${version} events without a chain value`;
  if (verified.status === 'intact') return `${what}: intact from version ${verified.from} to ${version}`;
  return `${what}: broken at version ${verified.at}, ${REASONS[verified.reason](verified)}`;
}

const REASONS: Readonly<Record<ChainBreak, (broken: BrokenStream) => string>> = {
  changed: ({ expected, found }) =>
    `whose chain value is ${found ?? 'none'} instead of ${expected}: this event or the one before it was changed, ` +
    `removed, inserted or moved`,
  missing: () => `which is neither in the feed nor in the archive: it was removed, or this process lacks the archive`,
  unchained: () =>
    `which carries no chain value: it was written by hand, or by a process that does not chain the stream`,
  truncated: ({ version }) => `which is gone: the stream has ${version} events, and had more when its head was kept`,
  other: ({ expected, found }) => `whose chain value is ${found ?? 'none'}, and was ${expected} when its head was kept`,
};
