import type { KeyBuilder } from '../core/keys.js';
import type { Acknowledgement } from '../core/group-store.js';
import type { Delivery } from './redis-store-options.js';
import type { RedisConnection } from './redis-connection.js';

/** Lua cannot hand more values than about 8000 to one command. */
const MAX_IDS = 5_000;

/**
 * Acknowledgements that come with no write: the lease of a log is looked at once, and one XACK takes all its entries.
 *
 * Sent at once, so that they come before every commit that is asked for later.
 *
 * @returns for each request whether its lease still has its epoch
 */
export async function acknowledge(
  connection: RedisConnection,
  keys: KeyBuilder,
  delivery: Delivery,
  requests: readonly Acknowledgement[],
): Promise<boolean[]> {
  // On a Cluster every partition may be in a slot of its own.
  if (delivery === 'direct') return run(connection, keys, requests);
  const held = await Promise.all(requests.map((request) => run(connection, keys, [request])));
  return held.flat();
}

async function run(
  connection: RedisConnection,
  builder: KeyBuilder,
  requests: readonly Acknowledgement[],
): Promise<boolean[]> {
  const keys: string[] = [];
  const args: (string | number)[] = [];
  for (const { source, group, epoch, ids } of requests) {
    for (let i = 0; i === 0 || i < ids.length; i += MAX_IDS) {
      keys.push(builder.lease(source.partition, group), builder.log(source));
      args.push(epoch ?? '', group, (ids.length <= MAX_IDS ? ids : ids.slice(i, i + MAX_IDS)).join(' '));
    }
  }
  // Not by digest: a server that had to be taught the script first would take what was sent after it before it.
  const answers = (await connection.send('EVAL', [ACKNOWLEDGE, keys.length, ...keys, ...args])) as number[];
  let call = 0;
  return requests.map(({ ids }) => {
    const held = answers[call] === 1;
    call += Math.max(1, Math.ceil(ids.length / MAX_IDS));
    return held;
  });
}

/**
 * KEYS  per log: its lease, the log
 * ARGV  per log: epoch or '', group, ids of the entries as one text (many short arguments cost the client more than the parting here)
 * Returns per log: 1, or 0 when the lease has another epoch
 */
const ACKNOWLEDGE = `#!lua flags=allow-oom
local answers, a = {}, 0
for k = 1, #KEYS, 2 do
  if ARGV[a + 1] ~= '' and redis.call('HGET', KEYS[k], 'epoch') ~= ARGV[a + 1] then
    answers[#answers + 1] = 0
  else
    local ids, n = {}, 0
    for id in string.gmatch(ARGV[a + 3], '%S+') do
      n = n + 1
      ids[n] = id
    end
    if n > 0 then redis.call('XACK', KEYS[k + 1], ARGV[a + 2], unpack(ids)) end
    answers[#answers + 1] = 1
  end
  a = a + 3
end
return answers`;
