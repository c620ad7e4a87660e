/** Loads aggregates by hand: from a Redis stream of their own, or by their positions in the feed. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { KEYS, orderData } from '../messages/payload.mjs';
import { inFlight } from './in-flight.mjs';

const WINDOW = 500;

await ready(async (setting) => {
  const { url, namespace, streams, length, layout } = setting;
  const redis = new Redis(url, { enableAutoPipelining: true });
  await fill(redis, setting);
  const entries = {
    streams: (n) => redis.xrange(`${namespace}:${n}`, '-', '+'),
    positions: async (n) => {
      const positions = await redis.lrange(`${namespace}:s:${n}`, 0, -1);
      const pipeline = redis.pipeline();
      for (const position of positions) pipeline.xrange(`${namespace}:feed`, `0-${position}`, `0-${position}`);
      return (await pipeline.exec()).map(([, [entry]]) => entry);
    },
  }[layout];
  const load = async (n) => {
    const customer = { version: 0, orders: 0, total: 0 };
    for (const [, fields] of await entries(n % streams)) {
      const { data } = JSON.parse(fields[1]);
      customer.version++;
      customer.orders++;
      customer.total += data.total;
    }
    if (customer.version !== length) throw new Error(`${customer.version} events instead of ${length}`);
  };
  return {
    handle: (loads) => inFlight(setting.readers, loads, load),
    close: () => redis.quit(),
  };
});

/** The streams grow in turn, as streams do. */
async function fill(redis, { namespace, streams, length, layout }) {
  await inFlight(WINDOW, streams * length, async (n) => {
    const text = JSON.stringify({ type: 'order-placed', data: orderData(n % KEYS) });
    const stream = n % streams;
    if (layout === 'streams') return redis.xadd(`${namespace}:${stream}`, '*', 'event', text);
    return Promise.all([
      redis.xadd(`${namespace}:feed`, `0-${n + 1}`, 'event', text),
      redis.rpush(`${namespace}:s:${stream}`, n + 1),
    ]);
  });
}
