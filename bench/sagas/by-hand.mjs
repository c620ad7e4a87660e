/** The keys of the hand-written side, and its way to read: batches of up to 200 entries, the next while the last ones are handled. */
import { Redis } from 'ioredis';

const COUNT = 200;
const UNDER_WAY = 2;
/** Of one script call. */
const IN_A_CALL = 50;

export function keysOf(namespace) {
  return {
    orders: `${namespace}:orders`,
    commands: `${namespace}:commands`,
    replies: `${namespace}:replies`,
    ended: `${namespace}:ended`,
    timers: `${namespace}:timers`,
    saga: (id) => `${namespace}:saga:${id}`,
  };
}

/**
 * Consumes streams as a group of its own.
 *
 * @param handle `(redis, batch) => Promise`, a batch of `{ stream, entry, message }`; acknowledging is its own business
 * @returns ends it
 */
export async function consume({ url, group, streams, handle }) {
  const [reader, writer] = [new Redis(url), new Redis(url)];
  for (const stream of streams) await reader.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  const read = ['GROUP', group, 'a', 'COUNT', COUNT, 'BLOCK', 100, 'STREAMS', ...streams, ...streams.map(() => '>')];
  const underway = new Set();
  let over = false;
  const reading = (async () => {
    while (!over) {
      const reply = await reader.xreadgroup(...read);
      if (!reply) continue;
      const handled = handle(writer, reply.flatMap(parsed)).finally(() => underway.delete(handled));
      underway.add(handled);
      if (underway.size >= UNDER_WAY) await Promise.race(underway);
    }
    await Promise.all(underway);
    await Promise.all([reader.quit(), writer.quit()]);
  })();
  return async () => {
    over = true;
    await reading;
  };
}

function parsed([stream, entries]) {
  return entries.map(([entry, [, text]]) => ({ stream, entry, message: JSON.parse(text) }));
}

/** Several in one script call: `each` says keys and arguments of one. Throws when the script has refused one. */
export async function inCalls(redis, sha, items, { keys = [], args = [], each }) {
  const calls = [];
  for (let i = 0; i < items.length; i += IN_A_CALL) {
    const some = items.slice(i, i + IN_A_CALL).map(each);
    const allKeys = [...keys, ...some.flatMap((one) => one.keys)];
    calls.push(redis.evalsha(sha, allKeys.length, ...allKeys, ...args, ...some.flatMap((one) => one.args)));
  }
  for (const refused of await Promise.all(calls)) {
    if (refused > 0) throw new Error(`${refused} of a call were refused`);
  }
}
