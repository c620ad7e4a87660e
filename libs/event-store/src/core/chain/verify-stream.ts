import { ConfigurationError } from '@millrace/broker';
import type { Entry, Partition, PartitionStore } from '@millrace/broker';
import { linkOf, startOf, withoutChain } from './chain-link.js';
import { textOf } from './stream-head.js';
import type { BrokenStream, ChainBreak, ChainHead, StreamIntegrity } from './stream-integrity.js';
import { checkHead, verifyHead } from './verify-head.js';

export interface VerifyOptions {
  /**
   * The first version that is looked at; the chain value of the event before it is believed. For a stream that is known to be
   * broken at an earlier one. Default 1.
   */
  readonly from?: number;
  /** As it was kept elsewhere: the stream must still have this event in this place. Default: what is gone at its end is not noticed. */
  readonly head?: ChainHead;
}

/** Events that are read at once. */
const PAGE = 500;

type Reads = Pick<PartitionStore, 'readStream'>;

/**
 * Whether the events of a stream are those that were appended, as far as they are chained. Of a stream that grows meanwhile,
 * those that it has at first. Takes the same memory for any number of events.
 *
 * @param onPage is told how many events have been looked at since
 * @throws ConfigurationError for options that have no meaning
 */
export async function verifyStream(
  store: Reads,
  partition: Partition,
  stream: string,
  { from = 1, head }: VerifyOptions = {},
  onPage: (events: number) => void = () => undefined,
): Promise<StreamIntegrity> {
  if (!Number.isSafeInteger(from) || from < 1) {
    throw new ConfigurationError(`from: ${String(from)} must be a version, 1 or more`);
  }
  if (head) checkHead(head);
  const verified = await walk(store, new Chain(partition, stream, from), from, onPage);
  const other = head && verified.status !== 'broken' ? await verifyHead(store, partition, stream, head) : undefined;
  return other ?? verified;
}

async function walk(
  store: Reads,
  chain: Chain,
  from: number,
  onPage: (events: number) => void,
): Promise<StreamIntegrity> {
  for (let after = Math.max(0, from - 2); ; after += PAGE) {
    const { version, entries } = await store.readStream(chain.partition, chain.stream, { after, limit: PAGE });
    chain.version ??= version;
    const end = Math.min(after + PAGE, chain.version);
    const byVersion = new Map(entries.map((entry) => [entry.version, entry]));
    for (let at = after + 1; at <= end; at++) {
      const broken = chain.take(at, byVersion.get(at));
      if (broken) return broken;
    }
    onPage(Math.max(0, end - after));
    if (end >= chain.version) return chain.end();
  }
}

/** One walk along a stream. */
class Chain {
  /** Of the stream when the walk began. */
  version: number | undefined;
  private last: string | undefined;
  private begun: number | undefined;

  constructor(
    readonly partition: Partition,
    readonly stream: string,
    private readonly from: number,
  ) {}

  /** What is wrong with the next event; undefined: nothing. */
  take(at: number, entry: Entry | undefined): BrokenStream | undefined {
    if (!entry) return this.broken(at, 'missing');
    const stored = textOf(entry);
    const { text, chain } = withoutChain(stored ?? '');
    if (at < this.from) {
      this.last = chain;
      return undefined;
    }
    if (chain === undefined) {
      const goesOn = this.last !== undefined;
      return goesOn ? this.broken(at, 'unchained', stored && linkOf(this.last!, stored)) : undefined;
    }
    const expected = linkOf(this.last ?? startOf(this.stream, at), text);
    if (chain !== expected) return this.broken(at, 'changed', expected, chain);
    this.begun ??= at;
    this.last = chain;
    return undefined;
  }

  end(): StreamIntegrity {
    const { stream, partition, version = 0, begun, last } = this;
    if (last === undefined) return { status: 'unchained', stream, partition, version };
    return { status: 'intact', stream, partition, version, from: begun ?? this.from, head: { version, chain: last } };
  }

  private broken(at: number, reason: ChainBreak, expected?: string, found?: string): BrokenStream {
    const { stream, partition, version = 0 } = this;
    return { status: 'broken', stream, partition, version, reason, at, expected, found };
  }
}
