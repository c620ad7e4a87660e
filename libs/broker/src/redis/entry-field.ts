import type { EntryRef } from '../core/partition.js';

/** The field of an entry: its log and its id, since one group reads several logs of a partition. */
export function entryField(entry: EntryRef): string {
  return `${entry.source.log}/${entry.id}`;
}
