import { ConfigurationError, partitionOf } from '@millrace/broker';
import type { Partition, PartitionStore } from '@millrace/broker';
import { describeIntegrity } from '../core/chain/stream-integrity.js';
import type { BrokenStream, StreamIntegrity } from '../core/chain/stream-integrity.js';
import { verifyHead } from '../core/chain/verify-head.js';
import { verifyStream } from '../core/chain/verify-stream.js';
import { verifyStreams } from '../core/chain/verify-streams.js';
import type { VerifyProgress } from '../core/chain/verify-streams.js';
import { identify } from '../core/stream-name.js';
import { HeadsWriter, readHeads } from './heads-file.js';

/** What is read of a store. */
export type VerifiedStore = Pick<PartitionStore, 'findContext' | 'head' | 'listIndexes' | 'readStream'>;

export interface ContextVerification {
  readonly context: string;
  readonly category?: string | undefined;
  /** Only this one. */
  readonly stream?: string | undefined;
  readonly key?: string | undefined;
  readonly from?: number | undefined;
  /** File with heads that the streams must still have. */
  readonly heads?: string | undefined;
  /** File for the heads that they have now. */
  readonly saveHeads?: string | undefined;
  /** Takes the lines for people. */
  readonly say: (line: string) => void;
  readonly onProgress: (progress: VerifyProgress) => void;
}

/**
 * Verifies the streams of a context, or one of them, and says which are broken.
 *
 * @returns how many are
 * @throws ConfigurationError when there is no such context, and for a file that holds no heads
 */
export async function verifyContext(store: VerifiedStore, wanted: ContextVerification): Promise<number> {
  const { context, say, saveHeads } = wanted;
  const partitions = await store.findContext(context);
  if (partitions === undefined) throw new ConfigurationError(`there is no context '${context}' in this namespace`);
  const counts = { intact: 0, unchained: 0 };
  const broken = new Set<string>();
  const tell = (verified: BrokenStream): void => {
    broken.add(nameOf(verified));
    say(describeIntegrity(verified));
  };
  for await (const lost of lostHeads(store, wanted, partitions)) tell(lost);
  const writer = saveHeads === undefined ? undefined : await HeadsWriter.open(saveHeads);
  try {
    for await (const verified of streamsOf(store, wanted, partitions)) {
      if (verified.status === 'broken') tell(verified);
      else if (!broken.has(nameOf(verified))) counts[verified.status]++;
      if (verified.status === 'intact') await writer?.add(verified);
    }
  } catch (error) {
    await writer?.abandon();
    throw error;
  }
  await (broken.size === 0 ? writer?.finish() : writer?.abandon());
  say(`${context}: ${counts.intact} streams intact, ${counts.unchained} unchained, ${broken.size} broken`);
  if (writer && broken.size > 0) say(`no heads were saved: ${saveHeads} keeps those from before`);
  return broken.size;
}

/** Streams that no longer have what they had when their heads were kept. */
async function* lostHeads(
  store: VerifiedStore,
  wanted: ContextVerification,
  partitions: number,
): AsyncGenerator<BrokenStream, void, void> {
  const { context, heads } = wanted;
  if (heads === undefined) return;
  for await (const { stream, partition: index, version, chain } of readHeads(heads)) {
    if (!isWanted(wanted, stream)) continue;
    if (index >= partitions) throw new ConfigurationError(`${heads}: context '${context}' has no partition ${index}`);
    const lost = await verifyHead(store, { context, index }, stream, { version, chain });
    if (lost) yield lost;
  }
}

async function* streamsOf(
  store: VerifiedStore,
  { context, category, stream, key, from, onProgress }: ContextVerification,
  partitions: number,
): AsyncGenerator<StreamIntegrity, void, void> {
  if (stream === undefined) {
    const all = Array.from({ length: partitions }, (_, index): Partition => ({ context, index }));
    return yield* verifyStreams(store, all, { ...(category === undefined ? {} : { category }), onProgress });
  }
  const { name, key: own } = identify(stream);
  const partition = { context, index: partitionOf(key ?? own, partitions) };
  yield await verifyStream(store, partition, name, from === undefined ? {} : { from });
}

function isWanted({ category, stream }: ContextVerification, name: string): boolean {
  if (stream !== undefined) return name === stream;
  return category === undefined || name.startsWith(`${category}-`);
}

function nameOf({ partition, stream }: StreamIntegrity): string {
  return `${partition.index} ${stream}`;
}
