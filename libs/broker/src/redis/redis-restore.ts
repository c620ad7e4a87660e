import { FirstIndexes, INDEX_KINDS } from '../core/event-index.js';
import type { EventIndex, RestoredEvent } from '../core/event-index.js';
import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** Keys that one call looks at, a few ms of the store's time. */
const SCAN_COUNT = 2_000;

/** Redis gives keys in no order, so each call of this looks at all of them. */
export async function listIndexes(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  limit: number,
  after?: EventIndex,
): Promise<readonly EventIndex[]> {
  const first = new FirstIndexes(limit, after);
  const feed = keys.log({ partition, log: 'feed' });
  for (const kind of INDEX_KINDS) {
    const prefix = keys.index(partition, { kind, name: '-' }).slice(0, -1);
    for (let cursor = '0'; ;) {
      const [next, found] = (await SCAN.run(connection, [feed], [cursor, `${prefix}*`, SCAN_COUNT])) as [
        string,
        string[],
      ];
      for (const key of found) first.add({ kind, name: key.slice(prefix.length) });
      if (next === '0') break;
      cursor = next;
    }
  }
  return first.inOrder();
}

export async function readPositions(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  index: EventIndex,
  offset: number,
  limit: number,
): Promise<readonly number[]> {
  const args = [keys.index(partition, index), offset, offset + limit - 1];
  return ((await connection.send('LRANGE', args)) as string[]).map(Number);
}

export async function restoreEvents(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  after: number,
  events: readonly RestoredEvent[],
): Promise<boolean> {
  const args = events.flatMap(({ position, fields }) => [position, fields.length, ...fields]);
  return (await RESTORE_EVENTS.run(connection, [keys.log({ partition, log: 'feed' })], [after, ...args])) === 1;
}

export async function restorePositions(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  index: EventIndex,
  offset: number,
  positions: readonly number[],
): Promise<boolean> {
  const names = [keys.index(partition, index), keys.retention(partition)[0]];
  return (await RESTORE_POSITIONS.run(connection, names, [offset, ...positions])) === 1;
}

/**
 * SCAN has no key, so in a cluster a script takes it to the node that has the partition.
 *
 * KEYS  feed
 * ARGV  cursor, pattern, keys to look at
 * Returns {cursor, {key ...}}
 */
const SCAN = new Script(`#!lua flags=no-writes
return redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])`);

/**
 * KEYS  feed
 * ARGV  position at which the feed ends, then of each event: position, length of its fields, fields
 * Returns 1, or 0 when the feed ends elsewhere
 */
const RESTORE_EVENTS = new Script(`#!lua
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if (last and last[1] or '0-0') ~= string.format('0-%.0f', tonumber(ARGV[1])) then return 0 end
local i = 2
while i <= #ARGV do
  local count = tonumber(ARGV[i + 1])
  redis.call('XADD', KEYS[1], '0-' .. ARGV[i], unpack(ARGV, i + 2, i + 1 + count))
  i = i + 2 + count
end
return 1`);

/**
 * KEYS  positions of the index, record of the partition
 * ARGV  length of the index, positions
 * Returns 1, or 0 when the index has another length
 */
const RESTORE_POSITIONS = new Script(`#!lua
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
for from = 2, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
local first = tonumber(redis.call('HGET', KEYS[2], 'first-stream-event'))
if #ARGV > 1 and (not first or tonumber(ARGV[2]) < first) then
  redis.call('HSET', KEYS[2], 'first-stream-event', ARGV[2])
end
return 1`);
