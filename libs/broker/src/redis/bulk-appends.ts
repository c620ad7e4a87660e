import { MESSAGE_FIELD } from '@millrace/messages';
import type { Commit } from '../core/commit.js';
import type { KeyBuilder } from '../core/keys.js';
import { CompiledCommit } from './compiled-commit.js';
import { PUSH } from './index-ops.js';
import { appended, Failure, refused } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** The shape of commits that do nothing but append to one stream. */
export const STREAM_APPEND = 'stream-append';

/** A commit of this shape: keys `stream, feed, retention, category?`, arguments `expected, number of events, events`. */
export function streamAppend(keys: KeyBuilder, { partition, guards, writes }: Commit): CompiledCommit | undefined {
  const [write] = writes;
  const [guard] = guards;
  if (writes.length !== 1 || write?.kind !== 'append' || write.stream === undefined) return undefined;
  if (write.tags || write.events.length === 0 || guards.length > 1) return undefined;
  if (guard && (guard.kind !== 'version' || guard.stream !== write.stream)) return undefined;
  const expected = guard === undefined ? 'any' : guard.expected === 'none' ? 0 : guard.expected;
  const feed = keys.log({ partition, log: 'feed' });
  const places = [keys.stream(partition, write.stream), feed, keys.retention(partition)[0]];
  if (write.category !== undefined) places.push(keys.category(partition, write.category));
  return new CompiledCommit(STREAM_APPEND, places, [expected, write.events.length, ...write.events]);
}

/** What appends to one feed, in its order. */
interface Group {
  readonly feed: string;
  readonly retention: string;
  readonly categories: string[];
  readonly members: number[];
}

/** In one call, which says the keys of a feed once and adds all positions to a category at once. */
export async function appendToStreams(
  connection: RedisConnection,
  commits: readonly CompiledCommit[],
): Promise<Outcome[]> {
  const groups = groupsOf(commits);
  const keys: string[] = [];
  const args: (string | number)[] = [];
  for (const { feed, retention, categories, members } of groups) {
    keys.push(feed, retention, ...categories);
    args.push(members.length, categories.length);
    for (const i of members) {
      const commit = commits[i]!;
      const category = commit.keys[3];
      keys.push(commit.keys[0]!);
      args.push(category === undefined ? 0 : categories.indexOf(category) + 1);
      for (const arg of commit.args) args.push(arg);
    }
  }
  const answers = (await APPEND.run(connection, keys, args)) as (number | string)[][];
  const results = new Array<Outcome>(commits.length);
  groups.forEach(({ members }, group) => {
    const answer = answers[group]!;
    let position = Number(answer[0]);
    // Positions of a feed follow each other, so the last one tells all.
    for (let member = members.length; member > 0; member--) {
      const i = members[member - 1]!;
      const version = answer[member]!;
      if (typeof version === 'string') results[i] = new Failure(version);
      else if (version < 0) results[i] = refused('version', String(-1 - version));
      else {
        results[i] = appended(position, version);
        position -= commits[i]!.args.length - 2;
      }
    }
  });
  return results;
}

function groupsOf(commits: readonly CompiledCommit[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (let i = 0; i < commits.length; i++) {
    const [, feed, retention, category] = commits[i]!.keys as [string, string, string, string?];
    let group = groups.get(feed);
    if (!group) groups.set(feed, (group = { feed, retention, categories: [], members: [] }));
    group.members.push(i);
    if (category !== undefined && !group.categories.includes(category)) group.categories.push(category);
  }
  return [...groups.values()];
}

/**
 * KEYS  per group: feed, retention, categories; then the stream of each commit
 * ARGV  per group: number of commits, of categories; then per commit: its category (0: none), expected version, number of events, events
 * Returns per group: position of its last event; then per commit: the version of its stream; -1 - the version if it was
 * refused; the error if it failed
 */
export const APPEND = new Script(`#!lua
local K, A, tonumber, type, sub, call, try = KEYS, ARGV, tonumber, type, string.sub, redis.call, redis.pcall
${PUSH}local function holds(expected, version)
  if expected == 'exists' then return version > 0 end
  return expected == 'any' or version == tonumber(expected)
end
local k, a, answers = 0, 0, {}
while a < #A do
  local commits, categories = tonumber(A[a + 1]), tonumber(A[a + 2])
  local feed, retention, streams = K[k + 1], K[k + 2], k + 2 + categories
  local answer, listed, counts, broken = {0}, {}, {}, {}
  local kept = try('HEXISTS', retention, 'first-stream-event')
  for category = 0, categories do
    listed[category], counts[category] = {}, 0
    local found = category > 0 and try('LLEN', K[k + 2 + category]) or kept
    if type(found) == 'table' then broken[category] = found.err end
  end
  a = a + 2
  for i = 1, commits do
    local stream, category, events = K[streams + i], tonumber(A[a + 1]), tonumber(A[a + 3])
    local version, failed = try('LLEN', stream), broken[category]
    if type(version) == 'table' then failed = version.err
    elseif not holds(A[a + 2], version) then version, failed = -1 - version, nil
    elseif not failed then
      local list, count = listed[category], counts[category]
      for event = 1, events do
        local id = try('XADD', feed, '0-*', '${MESSAGE_FIELD}', A[a + 3 + event])
        if type(id) == 'table' then
          failed = id.err
          break
        end
        list[count + event] = sub(id, 3)
      end
      if not failed then
        local last = list[count + events]
        if events == 1 then version = call('RPUSH', stream, last)
        else version = push(stream, list, count + 1, count + events) end
        answer[1], counts[category] = last, count + events
        if kept == 0 and version == events then
          kept = call('HSETNX', retention, 'first-stream-event', last - events + 1)
        end
      end
    end
    answer[i + 1] = failed or version
    a = a + 3 + events
  end
  for category = 1, categories do
    if counts[category] > 0 then push(K[k + 2 + category], listed[category], 1, counts[category]) end
  end
  answers[#answers + 1] = answer
  k = streams + commits
end
return answers`);
