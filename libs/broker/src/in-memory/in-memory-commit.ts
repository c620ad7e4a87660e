import type { Commit, CommitResult } from '../core/commit.js';
import { inGuardOrder } from '../core/guard-order.js';
import type { InMemoryData } from './in-memory-data.js';
import { prepareGuard } from './in-memory-guards.js';
import { prepareWrite } from './in-memory-writes.js';

/**
 * Atomic because it never waits: all names are checked before the first guard, all guards before the first write.
 */
export function commitInMemory(data: InMemoryData, commit: Commit): CommitResult {
  const guards = inGuardOrder(commit.guards).map((guard) => prepareGuard(data, commit.partition, guard));
  // The end of the feed is known behind the appends.
  const ordered = [...commit.writes].sort((a, b) => Number(a.kind === 'advance') - Number(b.kind === 'advance'));
  const writes = ordered.map((write) => prepareWrite(data, commit.partition, write));

  for (const guard of guards) {
    const found = guard.objection();
    if (found !== undefined) return { status: 'refused', guard: guard.kind, found };
  }
  const appended = writes.map((write) => write()).filter((result) => result !== undefined);
  for (const guard of guards) guard.settle(appended);
  return { status: 'committed', appended };
}
