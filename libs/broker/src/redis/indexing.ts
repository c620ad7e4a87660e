import type { AppendWrite, Write } from '../core/commit.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { Part } from './commit-op.js';

/** Whether an append does more than to the feed and its stream. */
export function isIndexed(write: Write): boolean {
  return write.kind === 'append' && (write.tags !== undefined || write.category !== undefined);
}

/**
 * What follows the appends of a commit: the positions of their events by tag and category, a key only once; and that the
 * tagged events of no stream stay.
 */
export function indexing(keys: KeyBuilder, partition: Partition, appends: readonly AppendWrite[]): readonly Part[] {
  const runs = new Map<string, number[]>();
  const kept: Part[] = [];
  const add = (key: string, run: readonly number[]): void => {
    const known = runs.get(key);
    if (known) known.push(...run);
    else runs.set(key, [...run]);
  };
  appends.forEach(({ stream, events, category, tags = [] }, i) => {
    const place = 2 * (i + 1);
    const length = events.length;
    if (stream !== undefined && category !== undefined) {
      const key = keys.category(partition, category);
      if (length > 0) add(key, [place, 1, length]);
    }
    let first: number | undefined;
    for (const [index, own] of tags.entries()) {
      for (const tag of new Set(own)) {
        const key = keys.tagged(partition, tag);
        if (index >= length) continue;
        first ??= index;
        add(key, [place, index + 1, index + 1]);
      }
    }
    if (stream === undefined && first !== undefined) {
      kept.push({ op: 'keep', keys: [keys.retention(partition)[0]], args: [place, first + 1] });
    }
  });
  const indexed = Array.from(runs, ([key, run]): Part => ({
    op: 'index',
    keys: [key],
    args: [run.length / 3, ...run],
  }));
  return [...indexed, ...kept];
}
