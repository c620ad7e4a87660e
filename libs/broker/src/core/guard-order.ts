import type { Guard } from './commit.js';

/**
 * The guards in the order in which every adapter checks them; the first one that fails is the one reported.
 *
 * A zombie learns first that its lease is gone; a repeated command finds its result before it finds the version that its
 * own first run has changed; the inputs come last because acknowledging them is the first write.
 */
export function inGuardOrder(guards: readonly Guard[]): readonly Guard[] {
  const ordered: Guard[] = [];
  for (const guard of guards) {
    // They are few, and most come in their order.
    let at = ordered.length;
    while (at > 0 && ORDER[ordered[at - 1]!.kind] > ORDER[guard.kind]) at--;
    if (at === ordered.length) ordered.push(guard);
    else ordered.splice(at, 0, guard);
  }
  return ordered;
}

const ORDER: Readonly<Record<Guard['kind'], number>> = {
  lease: 0,
  command: 1,
  tombstone: 2,
  version: 3,
  tags: 4,
  revision: 5,
  timer: 6,
  row: 7,
  reached: 8,
  'dead-letter': 9,
  parked: 10,
  input: 11,
};
