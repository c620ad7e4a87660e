import { MESSAGE_FIELD } from '@millrace/messages';
import { appendToStreams, STREAM_APPEND } from './bulk-appends.js';
import type { CompiledCommit } from './compiled-commit.js';
import { appended, Failure } from './outcome.js';
import type { Outcome } from './outcome.js';
import type { RedisConnection } from './redis-connection.js';
import { Script } from './script.js';

/** A form of a shape that does its work once per feed instead of once per commit. */
export interface BulkForm {
  /** What one call takes in all: it blocks the server, and the client waits for it as a whole. */
  readonly max: number;
  /** So much of it leaves before the turn ends. Default: nothing does. */
  readonly enough?: number;
  weigh(commit: CompiledCommit): number;
  run(connection: RedisConnection, commits: readonly CompiledCommit[]): Promise<Outcome[]>;
}

/** The shape of commits that do nothing but append to a feed: key `feed`, arguments `number of events, events`. */
export const PUBLICATION = 'publication';

/** By shape: the commits of publishers and of event stores. */
export const BULK: Readonly<Record<string, BulkForm>> = {
  [PUBLICATION]: { max: 500, enough: 200, weigh: ({ args }) => args.length - 1, run: publish },
  // Of more at once the server takes no less for each, and the client has nothing to do meanwhile.
  [STREAM_APPEND]: { max: 64, weigh: ({ args }) => Number(args[1]), run: appendToStreams },
};

/** Events appended to feeds without stream or guard: a feed's positions follow each other, so its last one tells all. */
async function publish(connection: RedisConnection, commits: readonly CompiledCommit[]): Promise<Outcome[]> {
  const feeds = new Map<string, number[]>();
  commits.forEach(({ keys }, i) => {
    const members = feeds.get(keys[0]!);
    if (members) members.push(i);
    else feeds.set(keys[0]!, [i]);
  });
  const args: (string | number)[] = [];
  for (const members of feeds.values()) {
    const counts = members.map((i) => commits[i]!.args.length - 1);
    args.push(counts.reduce((sum, count) => sum + count, 0));
    for (const i of members)
      for (let event = 1; event < commits[i]!.args.length; event++) args.push(commits[i]!.args[event]!);
  }
  const answers = (await PUBLISH.run(connection, [...feeds.keys()], args)) as [number, string, string?][];
  const results = new Array<Outcome>(commits.length);
  let feed = 0;
  for (const members of feeds.values()) {
    const [written, last, error] = answers[feed++]!;
    let done = 0;
    for (const i of members) {
      done += commits[i]!.args.length - 1;
      results[i] = done > written ? new Failure(error ?? 'not written') : appended(Number(last) - written + done, 0);
    }
  }
  return results;
}

/**
 * KEYS  feeds
 * ARGV  per feed: number of events, the events
 * Returns per feed: {events written, position of the last, error}; what was written before an error stays
 */
export const PUBLISH = new Script(`#!lua
local answers, a = {}, 0
for k, feed in ipairs(KEYS) do
  local count, written, last, failed = tonumber(ARGV[a + 1]), 0, '0-0', nil
  while written < count do
    local id = redis.pcall('XADD', feed, '0-*', '${MESSAGE_FIELD}', ARGV[a + 2 + written])
    if type(id) == 'table' then
      failed = id.err
      break
    end
    written, last = written + 1, id
  end
  if count == 0 then
    local top = redis.call('XREVRANGE', feed, '+', '-', 'COUNT', 1)[1]
    last = top and top[1] or last
  end
  answers[k] = {written, string.sub(last, 3), failed}
  a = a + 1 + count
end
return answers`);
