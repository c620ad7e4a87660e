import type { Entry } from './partition.js';

/** What an entry weighs for `prefetchBytes`: the length of its texts. */
export function bytesOf({ fields }: Entry): number {
  let bytes = 0;
  for (const field of fields) bytes += field.length;
  return bytes;
}
