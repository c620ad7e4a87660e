import type { ArchivedRange, Holder, Trimmed, TrimRequest } from '../core/follower.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Partition, Source } from '../core/partition.js';
import type { RedisConnection } from './redis-connection.js';
import { rangeOf, recordOf } from './redis-followers.js';
import { Script } from './script.js';

/** Entries that are looked at to find the last one beyond a length, where ids do not tell. */
const LOOK = 1_000;

/** Trims a log as far as its followers let it. The look at them and the trim are one script, so none can be passed. */
export async function trim(
  connection: RedisConnection,
  keys: KeyBuilder,
  source: Source,
  { keepMs, keepLength, upTo, limit, streams = false }: TrimRequest,
): Promise<Trimmed> {
  const { partition, log } = source;
  for (;;) {
    const checkpoints = log === 'feed' ? await checkpointsOf(connection, keys, source) : [];
    const answer = (await TRIM.run(
      connection,
      [keys.log(source), ...keys.retention(partition), ...checkpoints.map((state) => keys.state(partition, state))],
      [log, keepMs ?? '', keepLength ?? '', upTo ?? '', limit, streams ? 1 : 0, ...checkpoints],
    )) as [number, string, number, string, string] | null;
    // A checkpoint was registered or expired between the two calls: its state is no key of the script.
    if (!answer) continue;
    const [count, before, more, kind, name] = answer;
    return { count, before, more: more === 1, heldBy: holder(source, kind, name) };
  }
}

export async function archivedRange(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
): Promise<ArchivedRange | undefined> {
  return rangeOf(await connection.send('HGET', [keys.retention(partition)[0], 'archived']));
}

async function checkpointsOf(connection: RedisConnection, keys: KeyBuilder, { partition }: Source): Promise<string[]> {
  const registered = (await recordOf(connection, keys.retention(partition)[0])).followers;
  return registered.flatMap(({ follower }) => (follower.kind === 'checkpoint' ? [follower.state] : []));
}

function holder({ log }: Source, kind: string, name: string): Holder | undefined {
  switch (kind) {
    case 'group':
      return { kind, log, group: name };
    case 'checkpoint':
      return { kind, state: name };
    case 'stream':
    case 'nobody':
      return { kind };
    default:
      return undefined;
  }
}

/**
 * Ids are compared as pairs of numbers, and a limit is the first id that stays.
 *
 * KEYS  log, record of the partition, ages of the feed, states of checkpoints
 * ARGV  name of the log, ms to keep or '', entries to keep or '', last id that may go or '', limit, 1 when events of streams
 *       may go, checkpoints
 * Returns {entries removed, first id that stays, 1 when more may go at once, kind and name of who keeps more or ''}; nil
 * when these are not all checkpoints
 */
const TRIM = new Script(`#!lua
local log, record, ages, name = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local feed = name == 'feed'
local function id(text)
  local ms, sequence = string.match(text, '(%d+)-?(%d*)')
  return {tonumber(ms), tonumber(sequence) or 0}
end
local function text(at) return string.format('%.0f-%.0f', at[1], at[2]) end
local function isBefore(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end
local function after(at) return {at[1], at[2] + 1} end

if feed then
  local checkpoints = 0
  for _, field in ipairs(redis.call('HKEYS', record)) do
    if string.sub(field, 1, 11) == 'checkpoint ' then
      checkpoints = checkpoints + 1
      local known = false
      for i = 7, #ARGV do known = known or field == 'checkpoint ' .. ARGV[i] end
      if not known then return false end
    end
  end
  if checkpoints ~= #ARGV - 6 then return false end
end

local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
if not last then return {0, '0-0', 0, '', ''} end
last = id(last[1])

local wish, further = after(last), false
if ARGV[2] ~= '' or ARGV[3] ~= '' then
  wish = {0, 0}
  if ARGV[2] ~= '' then
    local time, keep = redis.call('TIME'), tonumber(ARGV[2])
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    if feed then
      local noted = redis.call('ZREVRANGE', ages, 0, 0, 'WITHSCORES')
      if last[2] > (tonumber(noted[1]) or 0) and now - (tonumber(noted[2]) or 0) >= keep / 100 then
        redis.call('ZADD', ages, string.format('%.0f', now), string.format('%.0f', last[2]))
      end
      local due = redis.call('ZREVRANGEBYSCORE', ages, string.format('%.0f', now - keep), '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
      if due[1] then
        wish = {0, tonumber(due[1]) + 1}
        redis.call('ZREMRANGEBYSCORE', ages, '-inf', '(' .. due[2])
      end
    else
      wish = {math.max(0, now - keep + 1), 0}
    end
  end
  if ARGV[3] ~= '' then
    local spare = redis.call('XLEN', log) - tonumber(ARGV[3])
    if spare > 0 then
      local kept
      if feed then
        kept = {0, last[2] - tonumber(ARGV[3]) + 1}
      else
        local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', math.min(spare, ${LOOK}))
        kept = after(id(oldest[#oldest][1]))
        further = spare > ${LOOK}
      end
      if isBefore(wish, kept) then wish = kept end
    end
  end
end

local before, kind, who = wish, '', ''
local function hold(at, itsKind, itsName)
  if isBefore(at, before) then before, kind, who = at, itsKind, itsName end
end
if ARGV[4] ~= '' and isBefore(after(id(ARGV[4])), before) then before = after(id(ARGV[4])) end
local groups, present = redis.call('XINFO', 'GROUPS', log), {}
for _, flat in ipairs(groups) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  present[group.name] = true
  if group.pending > 0 then
    hold(id(redis.call('XPENDING', log, group.name)[2]), 'group', group.name)
  else
    hold(after(id(group['last-delivered-id'])), 'group', group.name)
  end
end
-- A registered group that was destroyed will be made again, where it was seen last.
local prefix, lost = 'group ' .. name .. ' ', 0
for _, field in ipairs(redis.call('HKEYS', record)) do
  local group = string.sub(field, 1, #prefix) == prefix and string.sub(field, #prefix + 1)
  if group and not present[group] then
    lost = lost + 1
    local stored = redis.call('HGET', record, 'at ' .. name .. ' ' .. group)
    local at = stored and cjson.decode(stored)
    local first = at and at.pending[1]
    hold(first and id(first[1]) or at and after(id(at.delivered)) or {0, 0}, 'group', group)
  end
end
if feed then
  for i = 7, #ARGV do
    local value = redis.call('HGET', KEYS[i - 3], 'value')
    hold({0, (value and cjson.decode(value).position or 0) + 1}, 'checkpoint', ARGV[i])
  end
  local first = ARGV[6] ~= '1' and redis.call('HGET', record, 'first-stream-event')
  if first then hold({0, tonumber(first)}, 'stream', '') end
  if isBefore(last, before) then before = last end
elseif #groups + lost == 0 then
  hold({0, 0}, 'nobody', '')
end

local limit, count = tonumber(ARGV[5]), 0
local oldest = id(redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1][1])
if limit > 0 then
  count = redis.call('XTRIM', log, 'MINID', '~', text(before), 'LIMIT', limit)
  -- What is left of it now is less than a node of the stream.
  if count + 100 <= limit then count = count + redis.call('XTRIM', log, 'MINID', text(before)) end
end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
local more = 0
if first and isBefore(id(first[1]), before) or further and kind == '' then more = 1 end
if first and isBefore(before, id(first[1])) then before = id(first[1]) end
if count > 0 then
  redis.call('HSET', record, 'trimmed ' .. name, first and text(id(first[1])) or text(before))
  if feed and ARGV[6] == '1' then
    local from = string.match(redis.call('HGET', record, 'archived') or '', '^%d+') or string.format('%.0f', oldest[2])
    redis.call('HSET', record, 'archived', from .. '-' .. string.format('%.0f', id(first[1])[2] - 1))
  end
end
return {count, text(before), more, kind, who}`);
