import type { Log, Partition } from '../core/partition.js';
import type { FollowerFigures, LogFigures, PartitionFigures } from '../core/partition-figures.js';
import type { InMemoryData } from './in-memory-data.js';
import type { InMemoryGroup } from './in-memory-group.js';
import { positionOf } from './in-memory-retention.js';

export function surveyInMemory(data: InMemoryData, partition: Partition): PartitionFigures {
  const { checkpoints, expired } = data.retention(partition);
  const now = data.clock.now();
  for (const log of ['feed', 'in'] as const) data.log({ partition, log });
  const { context, index } = partition;
  const logs = [...data.logs.values()].filter(
    ({ source }) => source.partition.context === context && source.partition.index === index,
  );
  const { length } = data.log({ partition, log: 'feed' });
  return {
    partition,
    logs: logs.map(({ source: { log }, entries }): LogFigures => {
      return { log, length: entries.length, first: entries[0]?.id, last: entries.at(-1)?.id };
    }),
    followers: [
      ...logs.flatMap((log) => data.groupsOf(log)).map((group) => groupFigures(data, partition, group)),
      ...Array.from(checkpoints, ([state, seen]): FollowerFigures => {
        const follower = { kind: 'checkpoint', state } as const;
        const position = positionOf(data, partition, follower);
        const [lag, unseenMs] = [length - position, now - seen];
        return { follower, position: `0-${position}`, lag, unseenMs, ...NOTHING_PENDING, holder: undefined };
      }),
    ],
    expired: [...expired.keys()].map((field) => {
      const [log = '', ...name] = field.split(' ');
      return { log: log as Log, group: name.join(' ') };
    }),
    deadLetters: data.deadLetters(partition).size,
    newestDeadLetter: data.deadLetters(partition).newest(now),
    timers: data.timers.get(data.keys.timers(partition)[0])?.size ?? 0,
  };
}

const NOTHING_PENDING = { lagIsExact: true, pending: 0, oldestPending: undefined } as const;

function groupFigures(data: InMemoryData, partition: Partition, group: InMemoryGroup): FollowerFigures {
  const { pending, waiting } = group.backlog();
  const oldest = group.oldestPending;
  const lease = data.leases.get(data.keys.lease(partition, group.name));
  const now = data.clock.now();
  return {
    follower: { kind: 'group', log: group.log.source.log, group: group.name },
    position: group.position,
    lag: waiting,
    lagIsExact: true,
    pending,
    oldestPending: oldest && { id: oldest.id, ms: now - oldest.at },
    unseenMs: now - group.seen,
    holder: lease && lease.until > now ? lease.owner : undefined,
  };
}
