import type {
  CheckpointFollower,
  Expired,
  Follower,
  GroupStart,
  Holder,
  Trimmed,
  TrimRequest,
} from '../core/follower.js';
import type { Partition, Source } from '../core/partition.js';

import type { InMemoryData } from './in-memory-data.js';
import type { InMemoryGroup } from './in-memory-group.js';
import type { InMemoryLog } from './in-memory-log.js';

export function registerInMemory(data: InMemoryData, partition: Partition, followers: readonly Follower[]): void {
  const now = data.clock.now();
  for (const follower of followers) {
    if (follower.kind === 'checkpoint') {
      data.keys.state(partition, follower.state);
      data.retention(partition).checkpoints.set(follower.state, now);
    } else {
      const group = data.findGroup({ partition, log: follower.log }, follower.group);
      if (group) group.seen = now;
    }
  }
}

export function createGroupInMemory(data: InMemoryData, source: Source, name: string): GroupStart {
  const existing = data.findGroup(source, name);
  const { expired } = data.retention(source.partition);
  const field = `${source.log} ${name}`;
  const former = existing ? undefined : expired.get(field);
  if (former) {
    data.groups.set(data.groupKey(source, name), former);
    expired.delete(field);
  }
  const group = data.group(source, name);
  group.seen = data.clock.now();
  if (existing) return { status: 'existed', missed: false };
  const missed = former?.resume() ?? false;
  const { archived } = source.log === 'feed' && (!former || missed) ? data.retention(source.partition) : {};
  return { status: former ? 'restored' : 'created', missed, ...(archived ? { archived } : {}) };
}

export function trimInMemory(data: InMemoryData, source: Source, request: TrimRequest): Trimmed {
  const log = data.log(source);
  const groups = data.groupsOf(log);
  // Entries are counted from the first that was ever appended; those before a limit may go.
  const wish = wished(data, log, request);
  const upTo = request.upTo === undefined ? Infinity : log.trimmed + log.countUpTo(request.upTo);
  let limit = Math.min(wish, upTo);
  let heldBy: Holder | undefined;
  for (const { first, holder } of holders(data, source, log, groups, request.streams)) {
    if (first >= limit) continue;
    limit = first;
    heldBy = holder;
  }
  limit = Math.max(Math.min(limit, source.log === 'feed' ? log.length - 1 : log.length), log.trimmed);
  const before = log.after(limit, 1)[0]?.id ?? log.nextId();
  const count = Math.min(limit - log.trimmed, request.limit);
  const { trimmed } = log;
  log.trim(count);
  if (source.log === 'feed' && request.streams && count > 0) {
    const record = data.retention(source.partition);
    record.archived = { from: record.archived?.from ?? trimmed + 1, to: log.trimmed };
  }
  return { count, before, more: log.trimmed < limit, heldBy };
}

export function expireInMemory(
  data: InMemoryData,
  partition: Partition,
  follower: Follower,
  unseenMs: number,
): Expired | undefined {
  const record = data.retention(partition);
  const isGone = (seen: number | undefined) => seen !== undefined && data.clock.now() - seen >= unseenMs;
  if (follower.kind === 'checkpoint') {
    if (!isGone(record.checkpoints.get(follower.state))) return undefined;
    record.checkpoints.delete(follower.state);
    const unread = data.log({ partition, log: 'feed' }).length - positionOf(data, partition, follower);
    return { unread, pending: 0 };
  }
  const source: Source = { partition, log: follower.log };
  const group = data.findGroup(source, follower.group);
  if (!group || !isGone(group.seen)) return undefined;
  data.groups.delete(data.groupKey(source, follower.group));
  record.expired.set(`${follower.log} ${follower.group}`, group);
  const { pending, waiting } = group.backlog();
  return { unread: waiting, pending };
}

/** How many of the entries ever appended the rules let go: the most generous of them counts, none lets all go. */
function wished(data: InMemoryData, log: InMemoryLog, { keepMs, keepLength }: TrimRequest): number {
  const rules: number[] = [];
  if (keepMs !== undefined) rules.push(log.source.log === 'feed' ? aged(data, log, keepMs) : old(data, log, keepMs));
  if (keepLength !== undefined) rules.push(log.length - keepLength);
  return rules.length === 0 ? log.length : Math.max(...rules);
}

function old(data: InMemoryData, log: InMemoryLog, keepMs: number): number {
  return log.trimmed + log.countUpTo(`${data.clock.now() - keepMs}-${Number.MAX_SAFE_INTEGER}`);
}

/** Events of a feed have no time of their own, so the head is noted from time to time. */
function aged(data: InMemoryData, { source, length }: InMemoryLog, keepMs: number): number {
  const record = data.retention(source.partition);
  const now = data.clock.now();
  const last = record.ages.at(-1);
  if (length > (last?.position ?? 0) && now - (last?.time ?? 0) >= keepMs / 100) {
    record.ages = [...record.ages, { position: length, time: now }];
  }
  const due = record.ages.filter(({ time }) => time <= now - keepMs).at(-1);
  if (due) record.ages = record.ages.filter(({ time }) => time >= due.time);
  return due?.position ?? 0;
}

/** Who still needs entries, and how many of those ever appended it has done with. */
function holders(
  data: InMemoryData,
  source: Source,
  log: InMemoryLog,
  groups: readonly InMemoryGroup[],
  streams = false,
) {
  const found: { readonly first: number; readonly holder: Holder }[] = groups.map((group) => {
    const first = group.firstOpen;
    const before = first ? log.trimmed + log.entries.indexOf(first) : log.length;
    return { first: before, holder: { kind: 'group', log: source.log, group: group.name } };
  });
  if (source.log !== 'feed') return groups.length > 0 ? found : [{ first: 0, holder: { kind: 'nobody' } as const }];
  const { checkpoints, firstStreamEvent } = data.retention(source.partition);
  for (const state of checkpoints.keys()) {
    const holder = { kind: 'checkpoint', state } as const;
    found.push({ first: positionOf(data, source.partition, holder), holder });
  }
  if (firstStreamEvent !== undefined && !streams)
    found.push({ first: firstStreamEvent - 1, holder: { kind: 'stream' } });
  return found;
}

export function positionOf(data: InMemoryData, partition: Partition, { state }: CheckpointFollower): number {
  const stored = data.state(data.keys.state(partition, state));
  return stored ? (JSON.parse(stored.value) as { position: number }).position : 0;
}
