import type { Entry, Source } from '../core/partition.js';

/** Stream entries of a reply; entries that were deleted meanwhile (no fields) are left out. */
export function toEntries(source: Source, reply: readonly unknown[]): Entry[] {
  const entries: Entry[] = [];
  for (const item of reply) {
    const [id, fields] = item as [string, string[] | null];
    if (fields && fields.length > 0) entries.push({ source, id, fields });
  }
  return entries;
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
