import type { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import { placeOf, rangeOf } from '../core/row-index.js';
import type { ListedRow, RowQuery, RowRange } from '../core/row-index.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** One page of an index with its rows, as they are at one moment. */
export async function listRows(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  view: string,
  query: RowQuery,
): Promise<readonly ListedRow[]> {
  const { min, max, withMin } = rangeOf(query);
  const bounds = [`${withMin ? '[' : '('}${min}`, `(${max}`];
  const command = query.backwards ? 'ZREVRANGEBYLEX' : 'ZRANGEBYLEX';
  const [members] = keys.viewIndex(partition, view);
  const args = [command, ...(query.backwards ? bounds.reverse() : bounds), query.limit];
  const reply = (await LIST_ROWS.run(connection, [members, keys.view(partition, view)], args)) as string[];
  const rows: ListedRow[] = [];
  for (let i = 0; i < reply.length; i += 2) rows.push({ ...placeOf(reply[i]!), row: reply[i + 1]! });
  return rows;
}

/** How many rows an index lists in a range. */
export async function countRows(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  view: string,
  range: RowRange,
): Promise<number> {
  const { min, max } = rangeOf({ ...range, limit: 1 });
  const [members] = keys.viewIndex(partition, view);
  return (await connection.send('ZLEXCOUNT', [members, `[${min}`, `(${max}`])) as number;
}

/**
 * KEYS  members of the indexes, rows
 * ARGV  command for the direction, first and last bound, limit
 * Returns {member, row, ...}
 */
const LIST_ROWS = new Script(`#!lua flags=no-writes
local answer = {}
for _, member in ipairs(redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
  local value = string.find(member, '\\0', 1, true) + 1
  local id = string.sub(member, string.find(member, '\\0', value, true) + 1)
  answer[#answer + 1] = member
  answer[#answer + 1] = redis.call('HGET', KEYS[2], id) or ''
end
return answer`);
