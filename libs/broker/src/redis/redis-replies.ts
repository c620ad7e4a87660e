import type { Entry, Source } from '../core/partition.js';
import { youngList } from '../core/young-list.js';

/** By its constructor, for the reason of {@link youngList}. */
class StreamEntry implements Entry {
  constructor(
    readonly source: Source,
    readonly id: string,
    readonly fields: readonly string[],
  ) {}
}

/**
 * Stream entries of a reply; entries that were deleted meanwhile (no fields) are left out.
 *
 * @param before entries they are added to
 */
export function toEntries(source: Source, reply: readonly unknown[], before: Entry[] = youngList()): Entry[] {
  for (const item of reply) {
    const [id, fields] = item as [string, string[] | null];
    if (fields && fields.length > 0) before.push(new StreamEntry(source, id, fields));
  }
  return before;
}

/** A flat list of names and values, or a map reply, as a map of texts. */
export function toMap(reply: unknown): Map<string, string> {
  const map = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let i = 0; i + 1 < reply.length; i += 2) map.set(String(reply[i]), String(reply[i + 1]));
  } else if (typeof reply === 'object' && reply !== null) {
    for (const [name, value] of Object.entries(reply)) map.set(name, String(value));
  }
  return map;
}
