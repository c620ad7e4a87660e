import type { TagQuery } from './commit.js';
import { ConfigurationError } from './errors.js';
import type { KeyBuilder } from './keys.js';
import type { Partition } from './partition.js';

/** A query with the keys of its tags. */
export interface KeyedQuery {
  readonly keys: readonly string[];
  readonly types: readonly string[];
}

/** @throws ConfigurationError for a query without tags, which would match every event, and for a bad name */
export function keyedQuery(keys: KeyBuilder, partition: Partition, { tags, types = [] }: TagQuery): KeyedQuery {
  if (tags.length === 0) throw new ConfigurationError(`a query for events needs at least one tag, it has none`);
  return { keys: Array.from(new Set(tags), (tag) => keys.tagged(partition, tag)), types };
}
