/** A hand-written event store: one script that looks at the length of the stream, and appends to it and to the feed. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { orderData, KEYS } from '../messages/payload.mjs';
import { writers } from './writers.mjs';

const APPEND = `
local version = redis.call('LLEN', KEYS[2])
if version ~= tonumber(ARGV[1]) then return {0, version} end
local position
for i = 2, #ARGV do
  position = string.sub(redis.call('XADD', KEYS[1], '0-*', 'event', ARGV[i]), 3)
  version = redis.call('RPUSH', KEYS[2], position)
end
return {1, version, position}`;

await ready(async (setting) => {
  const { url, namespace, events } = setting;
  // Without it, each of the writers would pay for a write to the socket of its own.
  const redis = new Redis(url, { enableAutoPipelining: setting.pipelining ?? true });
  const sha = await redis.script('LOAD', APPEND);
  const text = (n) => JSON.stringify({ type: 'order-placed', data: orderData(n % KEYS) });
  const append = async (stream, expected, first) => {
    const texts = Array.from({ length: events }, (_, i) => text(first + i));
    const keys = [`${namespace}:feed`, `${namespace}:s:${stream}`];
    const [done] = await redis.evalsha(sha, 2, ...keys, expected, ...texts);
    return done === 1;
  };
  return { handle: writers(setting, append), close: () => redis.quit() };
});
