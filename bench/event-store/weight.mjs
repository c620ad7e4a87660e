import Table from 'cli-table3';
import { privateRedis } from '../redis.mjs';
import { fill } from './fill.mjs';
import { openBroker } from './model.mjs';

/** Bytes that an event of 300 bytes takes in Redis with all that finds it, by the length of its stream. */
export async function weigh({ json, events }) {
  // Without append-only file: its buffers would be weighed, too.
  const redis = await privateRedis('none');
  const table = new Table({ head: ['events a stream', 'bytes an event'] });
  try {
    for (const length of [1, 10, 100]) {
      await redis.flush();
      const broker = await openBroker({ url: redis.url, namespace: 'weight' });
      await fill(broker, { streams: 10, length: 10 });
      const before = await redis.usedBytes();
      const streams = Math.ceil(events / 10 / length);
      await fill(broker, { streams, length, from: 10 });
      const bytes = Math.round(((await redis.usedBytes()) - before) / (streams * length));
      await broker.store.close();
      table.push([length, bytes]);
      const name = `bytes of an event, ${length} of a stream`;
      if (json) console.log(JSON.stringify({ suite: 'event-store', case: name, unit: 'bytes', value: bytes }));
    }
  } finally {
    await redis.stop();
  }
  console.error(`\n${table}\n`);
}
