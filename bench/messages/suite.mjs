/**
 * Publish -> handle -> commit: one producer and one consumer process, 300 bytes of payload, against the hand-written
 * ioredis loop, A B A B on one private Redis; the ratio is the median of the rounds' ratios.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { child } from '../child.mjs';
import { median, spread } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const SIDES = {
  loop: { producer: here('loop.producer.mjs'), consumer: here('loop.consumer.mjs') },
  millrace: { producer: here('millrace.producer.mjs'), consumer: here('millrace.consumer.mjs') },
};

/** Messages before the clock starts, so that both sides run compiled code. */
const WARM_UP = 10_000;

const CASES = [
  { name: 'publish, handle, commit; validation off', validate: false },
  { name: 'publish, handle, commit; class-validator', validate: true },
];

export async function run({ json, messages = 60_000, rounds, fsync }) {
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, ${messages} messages a round, ${rounds} rounds of each side\n`);
  try {
    for (const { name, validate } of CASES) {
      const pairs = [];
      for (let i = 0; i < rounds; i++) {
        const loop = await round(redis, SIDES.loop, messages);
        const millrace = await round(redis, SIDES.millrace, messages, validate);
        pairs.push({ loop, millrace, ratio: millrace.rate / loop.rate });
        console.error(
          `  ${name}: ${Math.round(millrace.rate)}/s, loop ${Math.round(loop.rate)}/s, ratio ${(millrace.rate / loop.rate).toFixed(2)}`,
        );
      }
      report(name, pairs, json);
    }
  } finally {
    await redis.stop();
  }
}

async function round(redis, side, messages, validate) {
  const setting = { url: redis.url, stream: `bench-${randomBytes(4).toString('hex')}`, validate };
  const [producer, consumer] = await Promise.all([child(side.producer, setting), child(side.consumer, setting)]);
  await Promise.all([consumer.run(WARM_UP), producer.run(WARM_UP)]);
  const cpuBefore = await redis.cpuSeconds();
  const begin = performance.now();
  const [consumed, produced] = await Promise.all([consumer.run(messages), producer.run(messages)]);
  const seconds = (performance.now() - begin) / 1000;
  const micros = (cpuSeconds) => (cpuSeconds * 1e6) / messages;
  const figures = {
    rate: messages / seconds,
    producer: micros(produced.cpuSeconds),
    consumer: micros(consumed.cpuSeconds),
    redis: micros((await redis.cpuSeconds()) - cpuBefore),
  };
  await Promise.all([producer.close(), consumer.close()]);
  await redis.flush();
  return figures;
}

function report(name, pairs, json) {
  const ratio = median(pairs.map((pair) => pair.ratio));
  const value = median(pairs.map((pair) => pair.millrace.rate));
  if (json) {
    console.log(
      JSON.stringify({
        suite: 'messages',
        case: name,
        unit: 'msg/s',
        value: Math.round(value),
        baseline: 'ioredis loop',
        ratio: Number(ratio.toFixed(2)),
      }),
    );
  }
  const table = new Table({
    head: ['', 'msg/s median (min-max)', 'producer µs/msg', 'consumer µs/msg', 'Redis µs/msg'],
  });
  for (const side of ['loop', 'millrace']) {
    const cpu = (who) => median(pairs.map((pair) => pair[side][who])).toFixed(1);
    table.push([side, spread(pairs.map((pair) => pair[side].rate)), cpu('producer'), cpu('consumer'), cpu('redis')]);
  }
  console.error(`\n${name}: ratio ${ratio.toFixed(2)} of the loop\n${table}\n`);
}
