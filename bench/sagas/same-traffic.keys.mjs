/** The keys that Millrace would use, and where things belong: by the hash of their key, in one of four partitions of their context. */
import { createHash } from 'node:crypto';

export const PARTITIONS = 4;
export const ORDERS = 'bench';
export const SAGAS = 'place-order';
export const SHOP = 'shop';

/** FNV-1a, as fast as it gets for ASCII. */
export function partitionOf(key) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % PARTITIONS;
}

/** The keys of each partition of a context. */
export function partitionsOf(namespace, context) {
  return Array.from({ length: PARTITIONS }, (_, index) => {
    const tag = `{${namespace}:${context}:${index}}`;
    return {
      index,
      feed: `${tag}:feed`,
      inbox: `${tag}:in`,
      listings: `${tag}:view-index:saga-index`,
      timers: [`${tag}:timers`, `${tag}:timer-messages`, `${tag}:timer-details`],
      own: (group) => `${tag}:own:${group}`,
      lease: (group) => `${tag}:lease:${group}`,
      state: (name) => `${tag}:state:${name}`,
      tombstone: (effect) => `${tag}:tombstone:${createHash('sha256').update(effect).digest('hex')}`,
    };
  });
}
