import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { CallBuilder } from './call-builder.js';

/** Where a checkpoint is kept, and the feed that it is about. */
export function checkpointKeys(call: CallBuilder, keys: KeyBuilder, partition: Partition, state: string): CallBuilder {
  return call.key(keys.state(partition, state)).key(keys.log({ partition, log: 'feed' }));
}
