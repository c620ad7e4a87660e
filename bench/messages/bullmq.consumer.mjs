/** BullMQ's consumer: one worker, concurrency 50. A job counts when Redis has it as completed. */
import { Worker } from 'bullmq';
import { ready } from '../child.mjs';
import { Latencies } from './latency.mjs';

await ready(async ({ url, stream, perSecond, concurrency }) => {
  const { hostname, port } = new URL(url);
  const latencies = new Latencies();
  const counter = { completed: 0, total: 0, wanted: Infinity, finish: () => undefined };
  const worker = new Worker(
    stream,
    async ({ data }) => {
      counter.total += data.total;
      if (perSecond) latencies.record(data.note);
    },
    { connection: { host: hostname, port: Number(port) }, concurrency },
  );
  worker.on('completed', () => {
    if (++counter.completed === counter.wanted) counter.finish();
  });
  await worker.waitUntilReady();
  return { handle: (messages) => handle(counter, messages, latencies, perSecond), close: () => worker.close() };
});

async function handle(counter, messages, latencies, perSecond) {
  counter.completed = 0;
  counter.wanted = messages;
  await new Promise((resolve) => (counter.finish = resolve));
  if (counter.total === 0) throw new Error('nothing was handled');
  return perSecond ? latencies.take() : undefined;
}
