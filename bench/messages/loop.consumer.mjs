/** The hand-written consumer: XREADGROUP COUNT 200, JSON.parse, one XACK per batch. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { Latencies } from './latency.mjs';

await ready(async ({ url, stream, perSecond }) => {
  const redis = new Redis(url);
  await redis.xgroup('CREATE', stream, 'bench', '0', 'MKSTREAM');
  const latencies = perSecond && new Latencies();
  return { handle: (messages) => handle(redis, stream, messages, latencies), close: () => redis.quit() };
});

async function handle(redis, stream, messages, latencies) {
  let total = 0;
  for (let handled = 0; handled < messages;) {
    const reply = await redis.xreadgroup('GROUP', 'bench', 'a', 'COUNT', 200, 'BLOCK', 1000, 'STREAMS', stream, '>');
    if (!reply) continue;
    const entries = reply[0][1];
    for (const [, fields] of entries) {
      const order = JSON.parse(fields[1]);
      total += order.total;
      latencies?.record(order.note);
    }
    await redis.xack(stream, 'bench', ...entries.map(([id]) => id));
    handled += entries.length;
  }
  if (total === 0) throw new Error('nothing was handled');
  return latencies?.take();
}
