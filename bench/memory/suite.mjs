/**
 * What things weigh in Redis, and whether a consumer and its Redis keep their weight while they handle two million messages
 * with retention on.
 */
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { child } from '../child.mjs';
import { privateRedis } from '../redis.mjs';
import { weigh } from './footprint.mjs';
import { slope, quartiles } from './trend.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Messages between two samples. */
const STEP = 20_000;

export async function run({ json, messages = 2_000_000 }) {
  // Without append-only file: its buffers would be weighed, too.
  const redis = await privateRedis('none');
  console.error(`${redis.description}, ${messages} messages\n`);
  try {
    const weights = await weigh(redis);
    for (const { name, bytes } of weights) report(json, name, 'bytes', Math.round(bytes));
    console.error(
      `${table(
        ['in Redis', 'bytes each'],
        weights.map(({ name, bytes }) => [name, Math.round(bytes)]),
      )}\n`,
    );
    await redis.flush();
    for (const sample of await consume(redis, messages)) trend(json, messages, sample);
  } finally {
    await redis.stop();
  }
}

/** Heap of the consumer after garbage collection, and memory of Redis, every so many messages. */
async function consume(redis, messages) {
  const setting = { url: redis.url, stream: 'memory', validate: false };
  const [producer, consumer] = await Promise.all([
    child(here('../messages/millrace.producer.mjs'), setting),
    child(here('consumer.mjs'), setting, ['--expose-gc']),
  ]);
  const heap = [];
  const server = [];
  for (let done = 0; done < messages; done += STEP) {
    const [{ heapBytes }] = await Promise.all([consumer.run(STEP), producer.run(STEP)]);
    heap.push(heapBytes);
    server.push(await redis.usedBytes());
    if ((done / STEP) % 10 === 0) {
      console.error(`  ${done + STEP} messages: heap ${mib(heapBytes)}, Redis ${mib(server.at(-1))}`);
    }
  }
  await Promise.all([producer.close(), consumer.close()]);
  return [
    { name: 'heap of the consumer after garbage collection', samples: heap },
    { name: 'memory of Redis, feeds kept to 1000 events each', samples: server },
  ];
}

function trend(json, messages, { name, samples }) {
  // The first tenth is compiling and filling: caches, connection buffers, the feeds themselves.
  const settled = samples.slice(Math.ceil(samples.length / 10));
  const perMessage = slope(settled) / STEP;
  const [first, last] = quartiles(settled);
  report(json, `${name}: growth per message`, 'bytes', Number(perMessage.toFixed(3)));
  report(json, `${name}: first quarter`, 'bytes', Math.round(first));
  report(json, `${name}: last quarter`, 'bytes', Math.round(last));
  const rows = [[mib(first), mib(last), `${perMessage.toFixed(3)} bytes`, mib(perMessage * messages)]];
  console.error(`\n${name}\n${table(['first quarter', 'last quarter', 'growth per message', 'in all'], rows)}`);
}

function report(json, name, unit, value) {
  if (json) console.log(JSON.stringify({ suite: 'memory', case: name, unit, value }));
}

function table(head, rows) {
  const text = new Table({ head });
  text.push(...rows);
  return text;
}

function mib(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
}
