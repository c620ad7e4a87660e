/** The orchestrator by hand: it reads the instances of a batch in one pipeline, and writes the transitions in calls of fifty. */
import { ready } from '../child.mjs';
import { begin, take } from './by-hand.saga.mjs';
import { consume, inCalls, keysOf } from './by-hand.mjs';

const GROUP = 'orchestrator';

/**
 * Per transition: refused when the instance has moved since, or the entry is acknowledged already; else the instance, one
 * message, and its timer, all or nothing.
 *
 * KEYS  timers, then per transition: the stream of its entry, the instance, the stream of its message
 * ARGV  group, then per transition: entry, revision, id, instance, message, due time or nothing
 */
const TRANSITIONS = `
local call, K, A, refused, a = redis.call, KEYS, ARGV, 0, 1
for k = 1, #K - 1, 3 do
  local revision = call('HGET', K[k + 2], 'revision') or '0'
  if revision ~= A[a + 2] or call('XACK', K[k + 1], A[1], A[a + 1]) == 0 then refused = refused + 1
  else
    call('HSET', K[k + 2], 'revision', revision + 1, 'value', A[a + 4])
    call('XADD', K[k + 3], '*', 'message', A[a + 5])
    if A[a + 6] == '' then call('ZREM', K[1], A[a + 3]) else call('ZADD', K[1], A[a + 6], A[a + 3]) end
  end
  a = a + 6
end
return refused`;

await ready(async ({ url, namespace }) => {
  const keys = keysOf(namespace);
  let sha;
  const handle = async (redis, batch) => {
    sha ??= await redis.script('LOAD', TRANSITIONS);
    const moves = await decided(redis, keys, batch);
    await inCalls(redis, sha, moves, {
      keys: [keys.timers],
      args: [GROUP],
      each: ({ stream, entry, revision, move: { instance, message, due } }) => ({
        keys: [stream, keys.saga(instance.id), due === undefined ? keys.ended : keys.commands],
        args: [entry, revision, instance.id, JSON.stringify(instance), JSON.stringify(message), due ?? ''],
      }),
    });
  };
  return { close: await consume({ url, group: GROUP, streams: [keys.orders, keys.replies], handle }) };
});

async function decided(redis, keys, batch) {
  const pipeline = redis.pipeline();
  for (const { stream, message } of batch) {
    const id = stream === keys.orders ? message.orderId : message.saga;
    pipeline.hmget(keys.saga(id), 'revision', 'value');
  }
  const stored = await pipeline.exec();
  return batch.map(({ stream, entry, message }, i) => {
    const [revision, value] = stored[i][1];
    const move = stream === keys.orders ? begin(message) : take(JSON.parse(value), message);
    if (!move) throw new Error(`${message.inReplyTo} is not in hand`);
    return { stream, entry, revision: revision ?? '0', move };
  });
}
