import { HOLDER } from '../core/consumer-names.js';
import type { ArchivedRange, Expired, Follower, GroupStart } from '../core/follower.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Log, Partition, Source } from '../core/partition.js';
import { BEHIND } from './lag-script.js';
import type { RedisConnection } from './redis-connection.js';
import { toMap } from './redis-replies.js';
import { Script } from './script.js';

/** The followers of partitions: when each was seen last, and how groups that expired come back. */
export class RedisFollowers {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
  ) {}

  async createGroup(source: Source, group: string): Promise<GroupStart> {
    const keys = [
      this.keys.log(source),
      this.keys.retention(source.partition)[0],
      this.keys.retries(source.partition, group),
    ];
    const args = [this.keys.group(group), HOLDER, source.log];
    const answer = await CREATE_GROUP.run(this.connection, keys, args);
    const [status, missed, range] = answer as [GroupStart['status'], number, string?];
    const archived = rangeOf(range);
    return { status, missed: missed === 1, ...(archived ? { archived } : {}) };
  }

  async savePositions(sources: readonly Source[], group: string): Promise<void> {
    if (sources.length === 0) return;
    const keys = [this.keys.retention(sources[0]!.partition)[0], ...sources.map((source) => this.keys.log(source))];
    await SAVE.run(this.connection, keys, [this.keys.group(group), ...sources.map(({ log }) => log)]);
  }

  async register(partition: Partition, followers: readonly Follower[]): Promise<void> {
    if (followers.length === 0) return;
    await REGISTER.run(this.connection, [this.keys.retention(partition)[0]], followers.map(fieldOf));
  }

  async expire(partition: Partition, follower: Follower, unseenMs: number): Promise<Expired | undefined> {
    const record = this.keys.retention(partition)[0];
    const isGroup = follower.kind === 'group';
    const log = this.keys.log({ partition, log: isGroup ? follower.log : 'feed' });
    const keys = [record, log, isGroup ? log : this.keys.state(partition, follower.state)];
    const args = [fieldOf(follower), unseenMs, isGroup ? follower.group : '', isGroup ? follower.log : ''];
    const answer = (await EXPIRE.run(this.connection, keys, args)) as [unread: number, pending: number] | null;
    return answer ? { unread: answer[0], pending: answer[1] } : undefined;
  }
}

/** What the record of a partition says of followers. Foreign groups are in it once somebody has looked for them. */
export async function recordOf(connection: RedisConnection, record: string): Promise<FollowerRecord> {
  const fields = toMap(await connection.send('HGETALL', [record]));
  const followers: { follower: Follower; seen: number }[] = [];
  const expired: { log: Log; group: string }[] = [];
  for (const [field, value] of fields) {
    const [kind, name = '', ...rest] = field.split(' ');
    if (kind === 'checkpoint') followers.push({ follower: { kind, state: name }, seen: Number(value) });
    const group = { log: name as Log, group: rest.join(' ') };
    if (kind === 'group') followers.push({ follower: { kind, ...group }, seen: Number(value) });
    if (kind === 'expired') expired.push(group);
  }
  return { followers, expired };
}

export interface FollowerRecord {
  /** Those that have registered, and when each was seen last, ms since 1970. */
  readonly followers: readonly { readonly follower: Follower; readonly seen: number }[];
  readonly expired: readonly { readonly log: Log; readonly group: string }[];
}

/** Positions as the record of a partition has them: `<first>-<last>`. */
export function rangeOf(stored: unknown): ArchivedRange | undefined {
  if (typeof stored !== 'string') return undefined;
  const [from, to] = stored.split('-').map(Number);
  return { from: from!, to: to! };
}

/** The field of a follower in the record of its partition. */
export function fieldOf(follower: Follower): string {
  return follower.kind === 'group' ? `group ${follower.log} ${follower.group}` : `checkpoint ${follower.state}`;
}

/** Time of the server in ms, as `now`; and text that a number of that size keeps all its digits in. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end`;

/**
 * KEYS  record of the partition
 * ARGV  fields of followers
 */
const REGISTER = new Script(`#!lua
${NOW}
for _, field in ipairs(ARGV) do redis.call('HSET', KEYS[1], field, text(now)) end
return 1`);

/** Pending entries that a position remembers; what lies behind them is delivered again when the group is lost. */
const REMEMBERED = 1_000;

/**
 * KEYS  record of the partition, log ...
 * ARGV  group, name of each log ...
 */
const SAVE = new Script(`#!lua
for i = 2, #KEYS do
  local page = redis.pcall('XPENDING', KEYS[i], ARGV[1], '-', '+', ${REMEMBERED})
  if not page.err then
    local delivered, pending = nil, {}
    for _, entry in ipairs(page) do pending[#pending + 1] = {entry[1], entry[4]} end
    if #page == ${REMEMBERED} then delivered = page[#page][1]
    else
      for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[i])) do
        local info = {}
        for j = 1, #group, 2 do info[group[j]] = group[j + 1] end
        if info.name == ARGV[1] then delivered = info['last-delivered-id'] end
      end
    end
    if delivered ~= '0-0' then
      redis.call('HSET', KEYS[1], 'at ' .. ARGV[i] .. ' ' .. ARGV[1], cjson.encode({delivered = delivered, pending = pending}))
    end
  end
end
return 1`);

/**
 * Creates a group at the beginning of its log. One that expired or was lost gets back its place, and its unfinished entries
 * with their delivery counts (XCLAIM FORCE makes pending what nobody has). When the log was lost, too, it begins anew with
 * ids below that place.
 *
 * KEYS  log, record of the partition, retry records of the group
 * ARGV  group, its consumer, name of the log
 * Returns {'existed' | 'created' | 'restored', 1 when entries it still needed are gone, archived events that it will not get}
 */
const CREATE_GROUP = new Script(`#!lua
${NOW}
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and string.sub(made.err, 1, 9) ~= 'BUSYGROUP' then return made end
local name = ARGV[3] .. ' ' .. ARGV[1]
redis.call('HSET', KEYS[2], 'group ' .. name, text(now))
if made.err then return {'existed', 0} end
local archived = ARGV[3] == 'feed' and redis.call('HGET', KEYS[2], 'archived') or nil
local stored = redis.call('HGET', KEYS[2], 'expired ' .. name) or redis.call('HGET', KEYS[2], 'at ' .. name)
if not stored then return {'created', 0, archived} end
local former, missed = cjson.decode(stored), 0
local function parts(id)
  local ms, sequence = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(sequence)
end
local formerMs, formerSequence = parts(former.delivered)
local log = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #log, 2 do
  if log[i] == 'last-generated-id' then
    local ms, sequence = parts(log[i + 1])
    if ms < formerMs or (ms == formerMs and sequence < formerSequence) then return {'created', 1, archived} end
  end
end
redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], former.delivered)
for _, entry in ipairs(former.pending) do
  local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry[1], 'RETRYCOUNT', entry[2], 'FORCE', 'JUSTID')
  if #claimed == 0 then
    missed = 1
    redis.call('HDEL', KEYS[3], ARGV[3] .. '/' .. entry[1])
  end
end
local trimmed = redis.call('HGET', KEYS[2], 'trimmed ' .. ARGV[3])
if trimmed then
  local ms, sequence = parts(trimmed)
  if ms > formerMs or (ms == formerMs and sequence > formerSequence + 1) then missed = 1 end
end
redis.call('HDEL', KEYS[2], 'expired ' .. name)
return {'restored', missed, missed == 1 and archived or nil}`);

/**
 * A group is seen when it registers and when it reads, whichever was later; a checkpoint when it registers.
 *
 * KEYS  record of the partition, log, the same log or the state of a checkpoint
 * ARGV  field of the follower, ms after which it counts as gone, group or '', name of the log
 * Returns {entries unread, entries pending}, or nil when it is not gone
 */
const EXPIRE = new Script(`#!lua
${NOW}${BEHIND}
local seen, unseen = tonumber(redis.call('HGET', KEYS[1], ARGV[1])), tonumber(ARGV[2])
if seen and now - seen < unseen then return false end
if ARGV[3] == '' then
  if not seen then return false end
  redis.call('HDEL', KEYS[1], ARGV[1])
  local value = redis.call('HGET', KEYS[3], 'value')
  return {behind(KEYS[2], true, '0-' .. text(value and cjson.decode(value).position or 0)), 0}
end
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[2], ARGV[3])
local name = ARGV[4] .. ' ' .. ARGV[3]
if consumers.err then
  -- Destroyed, but not by us.
  if not seen then return false end
  local stored = redis.call('HGET', KEYS[1], 'at ' .. name)
  local at = stored and cjson.decode(stored) or {delivered = '0-0', pending = {}}
  if stored then redis.call('HSET', KEYS[1], 'expired ' .. name, stored) end
  redis.call('HDEL', KEYS[1], ARGV[1], 'at ' .. name)
  return {(behind(KEYS[2], ARGV[4] == 'feed', at.delivered)), #at.pending}
end
for _, consumer in ipairs(consumers) do
  for i = 1, #consumer, 2 do
    if consumer[i] == 'idle' then
      if consumer[i + 1] < unseen then return false end
      seen = seen or 0
    end
  end
end
if not seen then return false end
local delivered
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local info = {}
  for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
  if info.name == ARGV[3] then delivered = info['last-delivered-id'] end
end
local pending, from = {}, '-'
repeat
  local page = redis.call('XPENDING', KEYS[2], ARGV[3], from, '+', 1000)
  for _, entry in ipairs(page) do pending[#pending + 1] = {entry[1], entry[4]} end
  from = #page > 0 and '(' .. page[#page][1] or nil
until #page < 1000
local unread = behind(KEYS[2], ARGV[4] == 'feed', delivered)
redis.call('XGROUP', 'DESTROY', KEYS[2], ARGV[3])
redis.call('HDEL', KEYS[1], ARGV[1], 'at ' .. name)
redis.call('HSET', KEYS[1], 'expired ' .. name, cjson.encode({delivered = delivered, pending = pending}))
return {unread, #pending}`);
