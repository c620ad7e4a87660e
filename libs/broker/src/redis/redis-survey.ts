import type { Follower } from '../core/follower.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Log, Partition } from '../core/partition.js';
import type { FollowerFigures, LogFigures, PartitionFigures } from '../core/partition-figures.js';
import { BEHIND } from './lag-script.js';
import type { RedisConnection } from './redis-connection.js';
import { recordOf } from './redis-followers.js';
import { Script } from './script.js';

type Position = [kind: string, log: number, name: string, position: string];
type Progress = [lag: number, exact: number, pending: number, oldest: string, oldestMs: number, unseenMs: number];
type LogAnswer = [length: number, first: string, last: string];
type Dead = [count: number, newest: string, newestMs: number];
type Answer = [logs: LogAnswer[], followers: [...Position, ...Progress][], dead: Dead, timers: number];

/** Figures of one partition, in two calls and one more per group with a lease. */
export async function survey(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
): Promise<PartitionFigures> {
  const [record] = keys.retention(partition);
  const { followers: registered, expired } = await recordOf(connection, record);
  const owned = registered.flatMap(({ follower }) => (follower.kind === 'group' ? [follower.log] : []));
  const names: Log[] = [...new Set<Log>(['feed', 'in', ...owned])];
  const checkpoints = registered.flatMap(({ follower }) => (follower.kind === 'checkpoint' ? [follower.state] : []));
  const [logs, followers, [deadLetters, newest, newestMs], timers] = (await SURVEY.run(
    connection,
    [
      ...[record, keys.dead(partition), keys.timers(partition)[0]],
      ...names.map((log) => keys.log({ partition, log })),
      ...checkpoints.map((state) => keys.state(partition, state)),
    ],
    [names.length, ...names, ...checkpoints],
  )) as Answer;
  return {
    partition,
    logs: names.map((log, i) => logFigures(log, logs[i]!)),
    followers: await Promise.all(
      followers.map(async ([kind, log, name, position, ...progress]) => {
        const follower: Follower =
          kind === 'group' ? { kind, log: names[log - 1]!, group: name } : { kind: 'checkpoint', state: name };
        const holder = kind === 'group' ? await holderOf(connection, keys, partition, name) : undefined;
        return followerFigures(follower, position, progress, holder);
      }),
    ),
    expired,
    deadLetters,
    newestDeadLetter: newest === '' ? undefined : { id: newest, ms: newestMs },
    timers,
  };
}

function logFigures(log: Log, [length, first, last]: LogAnswer): LogFigures {
  return { log, length, first: first || undefined, last: last || undefined };
}

function followerFigures(
  follower: Follower,
  position: string,
  [lag, exact, pending, oldest, oldestMs, unseenMs]: Progress,
  holder: string | undefined,
): FollowerFigures {
  return {
    follower,
    position,
    lag,
    lagIsExact: exact === 1,
    pending,
    oldestPending: oldest === '' ? undefined : { id: oldest, ms: oldestMs },
    unseenMs: unseenMs < 0 ? undefined : unseenMs,
    holder,
  };
}

/** A foreign group may have a name that no key is made of: it has no lease either. */
async function holderOf(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  group: string,
): Promise<string | undefined> {
  let key: string;
  try {
    key = keys.lease(partition, group);
  } catch {
    return undefined;
  }
  return String(await LEASE_OWNER.run(connection, [key], [])) || undefined;
}

/** KEYS lease. Returns its owner while it lasts, or ''. */
const LEASE_OWNER = new Script(`#!lua flags=no-writes
local time = redis.call('TIME')
local lease = redis.call('HMGET', KEYS[1], 'owner', 'until')
local left = (tonumber(lease[2]) or 0) - (time[1] * 1000 + math.floor(time[2] / 1000))
return left > 0 and lease[1] or ''`);

/**
 * KEYS  record of the partition, dead letters, timers, logs, states of checkpoints
 * ARGV  number of logs, their names, checkpoints
 * Returns {logs, followers, {dead letters, the newest, its age}, timers}
 */
const SURVEY = new Script(`#!lua flags=no-writes
${BEHIND}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record, count = KEYS[1], tonumber(ARGV[1])
local logs, followers, fields = {}, {}, redis.call('HKEYS', record)
local function unseen(field, idle)
  local seen = tonumber(redis.call('HGET', record, field))
  local registered = seen and math.max(0, now - seen) or -1
  if idle < 0 or registered < 0 then return math.max(idle, registered) end
  return math.min(idle, registered)
end
local function facts(flat)
  local info = {}
  for i = 1, #flat, 2 do info[flat[i]] = flat[i + 1] end
  return info
end
for n = 1, count do
  local key, log = KEYS[3 + n], ARGV[1 + n]
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  logs[n] = {redis.call('XLEN', key), first and first[1] or '', last and last[1] or ''}
  local groups, present = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'GROUPS', key) or {}, {}
  for _, flat in ipairs(groups) do
    local group = facts(flat)
    present[group.name] = true
    local delivered, oldest, idle, least = group['last-delivered-id'], '', 0, -1
    if group.pending > 0 then
      local pending = redis.call('XPENDING', key, group.name, '-', '+', 1)[1]
      if pending then oldest, idle = pending[1], pending[3] end
    end
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, group.name)) do
      local passed = facts(consumer).idle
      if least < 0 or passed < least then least = passed end
    end
    local lag, exact = behind(key, log == 'feed', delivered, group.lag)
    followers[#followers + 1] = {'group', n, group.name, delivered, lag, exact, group.pending, oldest, idle,
      unseen('group ' .. log .. ' ' .. group.name, least)}
  end
  -- Registered and destroyed: it will be made again, where it was seen last.
  local prefix = 'group ' .. log .. ' '
  for _, field in ipairs(fields) do
    local group = string.sub(field, 1, #prefix) == prefix and string.sub(field, #prefix + 1)
    if group and not present[group] then
      local stored = redis.call('HGET', record, 'at ' .. log .. ' ' .. group)
      local at = stored and cjson.decode(stored) or {delivered = '0-0', pending = {}}
      local lag, exact = behind(key, log == 'feed', at.delivered)
      followers[#followers + 1] = {'group', n, group, at.delivered, lag, exact, #at.pending, '', 0, unseen(field, -1)}
    end
  end
end
for i = 2 + count, #ARGV do
  local value = redis.call('HGET', KEYS[i + 2], 'value')
  local position = '0-' .. string.format('%.0f', value and cjson.decode(value).position or 0)
  local lag = behind(KEYS[4], true, position)
  followers[#followers + 1] = {'checkpoint', 0, ARGV[i], position, lag, 1, 0, '', 0, unseen('checkpoint ' .. ARGV[i], -1)}
end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local age = newest and math.max(0, now - tonumber(string.match(newest[1], '^%d+'))) or 0
local dead = {redis.call('XLEN', KEYS[2]), newest and newest[1] or '', age}
return {logs, followers, dead, redis.call('ZCARD', KEYS[3])}`);
