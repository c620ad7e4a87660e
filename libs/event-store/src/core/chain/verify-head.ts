import { ConfigurationError } from '@millrace/broker';
import type { Partition, PartitionStore } from '@millrace/broker';
import { withoutChain } from './chain-link.js';
import { textOf } from './stream-head.js';
import type { BrokenStream, ChainHead } from './stream-integrity.js';

/**
 * Whether a stream still has the event that was its last one when its head was kept; undefined: it has.
 *
 * @throws ConfigurationError for what is no head
 */
export async function verifyHead(
  store: Pick<PartitionStore, 'readStream'>,
  partition: Partition,
  stream: string,
  head: ChainHead,
): Promise<BrokenStream | undefined> {
  checkHead(head);
  const { version, entries } = await store.readStream(partition, stream, { after: head.version - 1, limit: 1 });
  const broken = { status: 'broken', stream, partition, version, at: head.version, expected: head.chain } as const;
  if (version < head.version)
    return { ...broken, reason: 'truncated', at: version + 1, expected: undefined, found: undefined };
  const [entry] = entries;
  if (!entry) return { ...broken, reason: 'missing', found: undefined };
  const { chain } = withoutChain(textOf(entry) ?? '');
  return chain === head.chain ? undefined : { ...broken, reason: 'other', found: chain };
}

export function checkHead(head: ChainHead): void {
  const { version, chain } = head;
  if (Number.isSafeInteger(version) && version >= 1 && typeof chain === 'string') return;
  const found = JSON.stringify(head);
  throw new ConfigurationError(`head: ${found} must be { version, chain }, as a verification has answered it`);
}
