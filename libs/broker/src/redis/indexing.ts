import type { AppendWrite, Write } from '../core/commit.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { CallBuilder } from './call-builder.js';

/** Whether an append does more than to the feed and its stream. */
export function isIndexed(write: Write): boolean {
  return write.kind === 'append' && (write.tags !== undefined || write.category !== undefined);
}

/**
 * What follows the appends of a commit: the positions of their events by tag and category, a key only once; and that the
 * tagged events of no stream stay.
 */
export function indexing(
  call: CallBuilder,
  keys: KeyBuilder,
  partition: Partition,
  appends: readonly AppendWrite[],
): void {
  const runs = new Map<string, number[]>();
  const kept: [place: number, event: number][] = [];
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
      kept.push([place, first + 1]);
    }
  });
  for (const [key, run] of runs) {
    call
      .op('index')
      .key(key)
      .arg(run.length / 3)
      .allArgs(run);
  }
  for (const [place, event] of kept) call.op('keep').key(keys.retention(partition)[0]).arg(place).arg(event);
}
