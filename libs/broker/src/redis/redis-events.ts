import type { KeyBuilder } from '../core/keys.js';
import { INDEX_PAGE } from '../core/event-reads.js';
import type { IndexSlice, Page, StreamEntry, StreamSlice } from '../core/event-reads.js';
import type { Partition, Source } from '../core/partition.js';
import type { RedisConnection } from './redis-connection.js';
import { toEntries } from './redis-replies.js';
import { Script } from './script.js';

/** Events of one call, so that a long stream keeps nobody waiting. */
const CHUNK = 1_000;

/** Reads a stream in calls of at most {@link CHUNK} events. */
export async function readStream(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  stream: string,
  { after, limit = Infinity, backwards = false }: Page = {},
): Promise<StreamSlice> {
  const source: Source = { partition, log: 'feed' };
  const names = [keys.stream(partition, stream), keys.log(source)];
  const entries: StreamEntry[] = [];
  const removed: { readonly version: number; readonly position: number }[] = [];
  let from: number | '' = after ?? '';
  for (let left = limit; ;) {
    const count = Math.min(left, CHUNK);
    const [version, first, ...found] = (await READ_STREAM.run(connection, names, [
      ...[from, count, backwards ? 1 : 0],
    ])) as [number, number, ...([string, string[]] | number)[]];
    const chunk = found.flatMap((each, i): StreamEntry[] =>
      typeof each === 'number' ? [] : [{ source, id: each[0], fields: each[1], version: first + i }],
    );
    const gone = found.flatMap((each, i) => (typeof each === 'number' ? [{ version: first + i, position: each }] : []));
    for (const each of backwards ? gone.reverse() : gone) removed.push(each);
    for (const entry of backwards ? chunk.reverse() : chunk) entries.push(entry);
    left -= count;
    from = backwards ? first : first + found.length - 1;
    if (left <= 0 || (backwards ? from <= 1 : from >= version)) {
      return removed.length > 0 ? { version, entries, removed } : { version, entries };
    }
  }
}

/** @param key LIST of positions */
export async function readIndex(
  connection: RedisConnection,
  keys: KeyBuilder,
  partition: Partition,
  key: string,
  { after, limit = INDEX_PAGE, backwards = false }: Page = {},
): Promise<IndexSlice> {
  const source: Source = { partition, log: 'feed' };
  const args = [after === undefined || after === Infinity ? '' : after, limit, backwards ? 1 : 0];
  const answer = await READ_INDEX.run(connection, [key, keys.log(source)], args);
  const [next, ...found] = answer as [number, ...unknown[]];
  const entries = toEntries(
    source,
    found.filter((each) => typeof each !== 'number'),
  );
  const removed = found.filter((each) => typeof each === 'number');
  return {
    entries: backwards ? entries.reverse() : entries,
    next: next === 0 ? undefined : next,
    ...(removed.length > 0 ? { removed: backwards ? removed.reverse() : removed } : {}),
  };
}

/** Entries at positions, oldest first, those in a row in one go; the position of one that is no longer in the feed. */
const FETCH = `local function fetch(answer, feed, positions)
  local i = 1
  while i <= #positions do
    local first, length = tonumber(positions[i]), 1
    while tonumber(positions[i + length] or 0) == first + length do length = length + 1 end
    local last = first + length - 1
    local found = redis.call('XRANGE', feed, string.format('0-%.0f', first), string.format('0-%.0f', last))
    local at = 1
    for position = first, last do
      local entry = found[at]
      if entry and (#found == length or entry[1] == string.format('0-%.0f', position)) then
        answer[#answer + 1] = entry
        at = at + 1
      else
        answer[#answer + 1] = position
      end
    end
    i = i + length
  end
  return answer
end`;

/**
 * KEYS  positions of the stream, feed
 * ARGV  version that the page comes after or '', events at most, 1 for backwards
 * Returns {version, version of the first entry, entry or its position ...}, oldest first
 */
const READ_STREAM = new Script(`#!lua flags=no-writes
${FETCH}
local version, after, limit = redis.call('LLEN', KEYS[1]), tonumber(ARGV[1]), tonumber(ARGV[2])
local first, last
if ARGV[3] == '1' then
  last = math.min(after or version + 1, version + 1) - 1
  first = math.max(1, last - limit + 1)
else
  first = (after or 0) + 1
  last = math.min(version, first + limit - 1)
end
local positions = first <= last and redis.call('LRANGE', KEYS[1], first - 1, last - 1) or {}
return fetch({version, first}, KEYS[2], positions)`);

/**
 * KEYS  positions, feed
 * ARGV  position that the page comes after or '', events at most, 1 for backwards
 * Returns {position that the next page comes after or 0, entry or its position ...}, oldest first
 */
const READ_INDEX = new Script(`#!lua flags=no-writes
${FETCH}
local list, after, limit = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local size = redis.call('LLEN', list)
-- How many positions are not beyond one: they grow, so half of them need no look.
local function upTo(position)
  local low, high = 0, size
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', list, middle)) <= position then low = middle + 1 else high = middle end
  end
  return low
end
local first, last, more
if ARGV[3] == '1' then
  last = (after and upTo(after - 1) or size) - 1
  first = math.max(0, last - limit + 1)
  more = first > 0
else
  first = after and upTo(after) or 0
  last = math.min(first + limit, size) - 1
  more = last < size - 1
end
if first > last then return {0} end
local positions = redis.call('LRANGE', list, first, last)
local edge = ARGV[3] == '1' and positions[1] or positions[#positions]
return fetch({more and tonumber(edge) or 0}, KEYS[2], positions)`);
