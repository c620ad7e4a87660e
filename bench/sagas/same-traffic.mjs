/** How the second hand-written side reads: logs of four partitions, under leases. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Commits } from './same-traffic.commits.mjs';

/** Of each log with something in it: 500 a read. */
const COUNT = 125;
const BLOCK_MS = 1_000;
/** Read and not yet committed, at most. */
const UNDER_WAY = 1_500;

const LEASE = `
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)`;

/**
 * Consumes a log of each partition, and the group's own logs, as a group that holds their leases.
 *
 * @param partitions as {@link partitionsOf}
 * @param log `feed` or `inbox`
 * @param handle `(arrivals, commits) => void | Promise`, of arrivals `{ partition, stream, entry, event }`, adds a commit for each
 * @returns ends it
 */
export async function consume({ url, group, partitions, log, writer, handle }) {
  const reader = new Redis(url);
  const owner = randomUUID();
  const streams = partitions.flatMap((partition) => [partition.own(group), partition[log]]);
  const homes = new Map(partitions.map((partition) => [partition[log], partition]));
  const epochs = new Map();
  for (const partition of partitions) {
    const lease = partition.lease(group);
    epochs.set(lease, String(await writer.eval(LEASE, 1, lease, owner)));
  }
  for (const stream of streams) await reader.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  const asked = ['GROUP', group, 'holder', 'COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS'];
  const read = () => reader.xreadgroup(...asked, ...streams, ...streams.map(() => '>'));
  let over = false;
  let underWay = 0;
  let room = () => undefined;
  const take = async (reply) => {
    const arrivals = arrivalsIn(reply, homes);
    underWay += arrivals.length;
    const commits = new Commits(writer, group, epochs);
    await handle(arrivals, commits);
    await commits.send();
    underWay -= arrivals.length;
    room();
  };
  const failed = (error) => {
    if (over) return;
    console.error(error);
    process.exit(1);
  };
  const reading = (async () => {
    let ahead = read();
    while (!over) {
      const reply = await ahead;
      // Redis reads on while these are handled.
      ahead = read();
      if (reply) take(reply).catch(failed);
      while (underWay > UNDER_WAY) await new Promise((resolve) => (room = resolve));
    }
    await ahead;
  })().catch(failed);
  return async () => {
    over = true;
    reader.disconnect();
    await reading;
  };
}

function arrivalsIn(reply, homes) {
  const arrivals = [];
  for (const [stream, entries] of reply) {
    const partition = homes.get(stream);
    // Nobody of this side moves anything there.
    if (!partition) throw new Error(`${stream} has entries`);
    for (const [entry, [, text]] of entries) arrivals.push({ partition, stream, entry, event: JSON.parse(text) });
  }
  return arrivals;
}
