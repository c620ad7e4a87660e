import type { Broker } from './broker.js';
import type { Commit, Write } from './commit.js';
import { firing } from './firing.js';
import { SCHEDULE } from './schedule.js';
import type { Timer } from './timer.js';

/**
 * The commit that fires a due timer; messages of schedules leave large data in a claim, as those that are sent at once do. Not
 * before: a claim expires, and what is due may be moved, or come again for years. Who repeats it writes the same claim anew.
 *
 * @throws TransformError when the claim store does not take them: the timer is still there
 */
export function departing(broker: Broker, timer: Timer): Commit | Promise<Commit> {
  const commit = firing(timer, broker.clock.now());
  if (!broker.boundary.hasClaims || !timer.id.startsWith(SCHEDULE)) return commit;
  return departed(broker, commit);
}

async function departed(broker: Broker, commit: Commit): Promise<Commit> {
  const depart = async (write: Write): Promise<Write> =>
    write.kind === 'emit' ? { ...write, message: await broker.messages.depart(write.message) } : write;
  return { ...commit, writes: await Promise.all(commit.writes.map(depart)) };
}
