import { randomBytes } from 'node:crypto';
import { child } from '../child.mjs';

/** Messages before the clock starts, so that both sides run compiled code. */
const WARM_UP = 10_000;

/**
 * One round of one side: a producer and a consumer process, new ones every time.
 *
 * @param setting what both are told; with `perSecond` the producer sends at that rate, else as fast as it can
 * @returns messages a second, CPU of each process and of Redis in µs a message, and what the consumer reports beside it
 */
export async function round(redis, side, messages, setting) {
  const told = { url: redis.url, stream: `bench-${randomBytes(4).toString('hex')}`, ...setting };
  const [producer, consumer] = await Promise.all([child(side.producer, told), child(side.consumer, told)]);
  await Promise.all([consumer.run(WARM_UP), producer.run(WARM_UP)]);
  const cpuBefore = await redis.cpuSeconds();
  const begin = performance.now();
  const [{ cpuSeconds, ...more }, produced] = await Promise.all([consumer.run(messages), producer.run(messages)]);
  const seconds = (performance.now() - begin) / 1000;
  const micros = (cpu) => (cpu * 1e6) / messages;
  const figures = {
    ...more,
    rate: messages / seconds,
    producer: micros(produced.cpuSeconds),
    consumer: micros(cpuSeconds),
    redis: micros((await redis.cpuSeconds()) - cpuBefore),
  };
  await Promise.all([producer.close(), consumer.close()]);
  await redis.flush();
  return figures;
}
