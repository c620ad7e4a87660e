import type { Guard } from './commit.js';

/**
 * The guards in the order in which every adapter checks them; the first one that fails is the one reported.
 *
 * A zombie learns first that its lease is gone; a repeated command finds its result before it finds the version that its
 * own first run has changed; the inputs come last because acknowledging them is the first write.
 */
export function inGuardOrder(guards: readonly Guard[]): readonly Guard[] {
  return [...guards].sort((a, b) => ORDER[a.kind] - ORDER[b.kind]);
}

const ORDER: Readonly<Record<Guard['kind'], number>> = {
  lease: 0,
  command: 1,
  version: 2,
  tags: 3,
  revision: 4,
  timer: 5,
  row: 6,
  reached: 7,
  'dead-letter': 8,
  parked: 9,
  input: 10,
};
