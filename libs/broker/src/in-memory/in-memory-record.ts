import type { ArchivedRange } from '../core/follower.js';
import type { InMemoryGroup } from './in-memory-group.js';

/** What a partition remembers so that nothing is trimmed too early. */
export interface InMemoryRecord {
  /** Checkpoint state to when its reader was seen last. */
  readonly checkpoints: Map<string, number>;
  readonly expired: Map<string, InMemoryGroup>;
  /** Position of the first event that belongs to a stream. */
  firstStreamEvent?: number;
  archived?: ArchivedRange;
  /** Which position was the head of the feed at which time. */
  ages: readonly { readonly position: number; readonly time: number }[];
}

export function emptyRecord(): InMemoryRecord {
  return { checkpoints: new Map(), expired: new Map(), ages: [] };
}
