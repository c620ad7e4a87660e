/** The hand-written producer: explicit pipelines of XADD, two of them under way. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { paced } from './latency.mjs';
import { KEYS, orderData } from './payload.mjs';

const PIPELINE = 200;

await ready(async ({ url, stream, perSecond }) => {
  const redis = new Redis(url);
  const due = (from, times) => {
    const pipeline = redis.pipeline();
    times.forEach((time, i) => pipeline.xadd(stream, '*', 'data', JSON.stringify(orderData((from + i) % KEYS, time))));
    return pipeline.exec();
  };
  return {
    send: (messages) => (perSecond ? paced(messages, perSecond, due) : send(redis, stream, messages)),
    close: () => redis.quit(),
  };
});

async function send(redis, stream, messages) {
  let underway = Promise.resolve();
  for (let i = 0; i < messages;) {
    const pipeline = redis.pipeline();
    for (const end = Math.min(i + PIPELINE, messages); i < end; i++) {
      pipeline.xadd(stream, '*', 'data', JSON.stringify(orderData(i % KEYS)));
    }
    const sent = pipeline.exec();
    await underway;
    underway = sent;
  }
  await underway;
}
