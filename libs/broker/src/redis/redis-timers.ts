import type { KeyBuilder } from '../core/keys.js';
import { checkName } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { TimerPage, TimerPlace, TimerQuery } from '../core/timer-store.js';
import type { Timer } from '../core/timer.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';
import { toTimer } from './timer-fields.js';

type RawTimer = readonly (string | null)[];

/** Reads timers; they are set, moved, cancelled and fired by commits. */
export class RedisTimers {
  /** @param together whether keys of several partitions may stand in one call; not in Redis Cluster */
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
    private readonly together: boolean,
  ) {}

  async due(
    partitions: readonly Partition[],
    now: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<{ readonly due: readonly Timer[]; readonly next: number | undefined }> {
    if (partitions.length === 0) return { due: [], next: undefined };
    const calls = this.together ? [partitions] : partitions.map((partition) => [partition]);
    const answers = await Promise.all(calls.map((some) => this.dueOf(some, now, limit, after)));
    const nexts = answers.flatMap(({ next }) => next);
    return { due: answers.flatMap(({ due }) => due), next: nexts.length > 0 ? Math.min(...nexts) : undefined };
  }

  async read(partition: Partition, id: string): Promise<Timer | undefined> {
    const keys = this.keys.timers(partition);
    const timer = (await READ.run(this.connection, keys, [checkName(id, 'timer')])) as RawTimer | null;
    return timer ? toTimer(partition, timer) : undefined;
  }

  async list(partition: Partition, { prefix, limit, cursor = '0' }: TimerQuery): Promise<TimerPage> {
    if (prefix !== '') checkName(prefix, 'prefix of timers');
    const args = [cursor, `${prefix}*`, limit];
    const [next, ...timers] = (await LIST.run(this.connection, this.keys.timers(partition), args)) as [
      string,
      ...RawTimer[],
    ];
    return { timers: timers.map((timer) => toTimer(partition, timer)), cursor: next === '0' ? undefined : next };
  }

  private async dueOf(partitions: readonly Partition[], now: number, limit: number, after?: TimerPlace) {
    const keys = partitions.flatMap((partition) => this.keys.timers(partition));
    const args = [now, limit, ...(after ? [after.due, checkName(after.id, 'timer')] : [])];
    const answers = (await DUE.run(this.connection, keys, args)) as [string | null, ...RawTimer[]][];
    return {
      due: answers.flatMap(([, ...timers], i) => timers.map((timer) => toTimer(partitions[i]!, timer))),
      next: answers.flatMap(([next]) => (next === null ? [] : [Number(next)])),
    };
  }
}

/**
 * KEYS  per partition: timers by due time, their messages, their details
 * ARGV  now in ms, how many at most per partition; due time and id of the one before, or nothing
 * Returns per partition: {due time of the next or nil, {id, due, message, details or nil} ...}
 */
const DUE = new Script(`#!lua flags=no-writes
local answers, call = {}, redis.call
local now, limit, before, id = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
-- By bytes, as the server orders them; '<' would go by its locale.
local function comesBefore(a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then return a:byte(i) < b:byte(i) end
  end
  return #a < #b
end
local function startOf(key)
  if not before then return 0 end
  if tonumber(call('ZSCORE', key, id) or '') == before then return call('ZRANK', key, id) + 1 end
  local start = call('ZCOUNT', key, '-inf', '(' .. ARGV[3])
  for _, other in ipairs(call('ZRANGEBYSCORE', key, ARGV[3], ARGV[3])) do
    if not comesBefore(other, id) then break end
    start = start + 1
  end
  return start
end
for k = 1, #KEYS, 3 do
  local answer, start = {false}, startOf(KEYS[k])
  local found = call('ZRANGE', KEYS[k], start, start + limit, 'WITHSCORES')
  for i = 1, #found, 2 do
    if i / 2 > limit or tonumber(found[i + 1]) > now then
      answer[1] = found[i + 1]
      break
    end
    answer[#answer + 1] = {found[i], found[i + 1], call('HGET', KEYS[k + 1], found[i]), call('HGET', KEYS[k + 2], found[i])}
  end
  answers[#answers + 1] = answer
end
return answers`);

/**
 * KEYS  timers by due time, their messages, their details
 * ARGV  id
 * Returns {id, due, message, details or nil}, or nil
 */
const READ = new Script(`#!lua flags=no-writes
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due then return false end
return {ARGV[1], due, redis.call('HGET', KEYS[2], ARGV[1]), redis.call('HGET', KEYS[3], ARGV[1])}`);

/**
 * KEYS  timers by due time, their messages, their details
 * ARGV  cursor, pattern of ids, about how many to look at
 * Returns {next cursor, {id, due, message, details or nil} ...}
 */
const LIST = new Script(`#!lua flags=no-writes
local found = redis.call('HSCAN', KEYS[2], ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local answer, fields = {found[1]}, found[2]
for i = 1, #fields, 2 do
  local due = redis.call('ZSCORE', KEYS[1], fields[i])
  if due then answer[#answer + 1] = {fields[i], due, fields[i + 1], redis.call('HGET', KEYS[3], fields[i])} end
end
return answer`);
