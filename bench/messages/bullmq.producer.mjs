/** BullMQ's producer: bulks of 200 jobs, two of them under way. */
import { Queue } from 'bullmq';
import { ready } from '../child.mjs';
import { paced } from './latency.mjs';
import { KEYS, orderData } from './payload.mjs';

const BULK = 200;

await ready(async ({ url, stream, perSecond }) => {
  const { hostname, port } = new URL(url);
  const queue = new Queue(stream, {
    connection: { host: hostname, port: Number(port) },
    // As Millrace's inboxes: what is done need not stay.
    defaultJobOptions: { removeOnComplete: true },
  });
  const due = (from, times) => queue.addBulk(times.map((time, i) => job((from + i) % KEYS, time)));
  return {
    send: (messages) => (perSecond ? paced(messages, perSecond, due) : send(queue, messages)),
    close: () => queue.close(),
  };
});

async function send(queue, messages) {
  let underway = Promise.resolve();
  for (let i = 0; i < messages;) {
    const jobs = [];
    for (const end = Math.min(i + BULK, messages); i < end; i++) jobs.push(job(i % KEYS));
    const sent = queue.addBulk(jobs);
    await underway;
    underway = sent;
  }
  await underway;
}

function job(number, time) {
  return { name: 'order-placed', data: orderData(number, time) };
}
