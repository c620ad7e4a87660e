import type { InMemoryData } from './in-memory-data.js';

/** The checkpoint that a state holds; one that was never put is at the beginning. */
export function checkpointOf(data: InMemoryData, key: string): { readonly position: number } {
  const stored = data.state(key);
  return stored ? (JSON.parse(stored.value) as { position: number }) : { position: 0 };
}
