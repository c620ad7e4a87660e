/** The event store beside hand-written code and peers; what an event weighs; whether it stays as fast as it grows. */
import { privateRedis } from '../redis.mjs';
import { againstEmmett } from './against-emmett.mjs';
import { cases } from './cases.mjs';
import { compare, report } from './compare.mjs';
import { fill } from './fill.mjs';
import { growth } from './growth.mjs';
import { openBroker } from './model.mjs';
import { weigh } from './weight.mjs';

export async function run({ against, growth: grow, ...options }) {
  const settings = { events: 1_000_000, ...options };
  if (grow) return growth(settings);
  if (against === 'emmett-postgresql') return againstEmmett(settings);
  await againstByHand(settings);
  if (!settings.only) await weigh(settings);
}

async function againstByHand({ json, events, rounds, fsync, only }) {
  const redis = await privateRedis(fsync);
  console.error(`${redis.description}, replay of ${events} events, ${rounds} rounds of each side\n`);
  try {
    for (const compared of cases(redis.url, events).filter(({ name }) => name.includes(only ?? ''))) {
      if (compared.fill) await filled(redis.url, compared.fill);
      const pairs = await compare(redis, compared, rounds);
      report(compared, pairs, json);
      await redis.flush();
    }
  } finally {
    await redis.stop();
  }
}

async function filled(url, { namespace, ...streams }) {
  const broker = await openBroker({ url, namespace });
  await fill(broker, streams);
  await broker.store.close();
}
