import { Redis } from 'ioredis';
import { findRedis } from '@millrace/testing';

/** A private Redis with the asked durability. Both sides of a comparison use it in turn. */
export async function privateRedis(fsync) {
  const found = await findRedis({ skip: ['url'], say: (sentence) => console.error(sentence) });
  const redis = new Redis(found.url);
  if (fsync === 'none') await redis.config('SET', 'appendonly', 'no');
  else await redis.config('SET', 'appendfsync', fsync);
  // A subscriber of pub/sub that is slower than its publisher is cut off at 32 MB otherwise.
  await redis.config('SET', 'client-output-buffer-limit', 'pubsub 0 0 0');
  return {
    url: found.url,
    description: `${found.product} ${found.version}, ${fsync === 'none' ? 'no AOF' : `AOF ${fsync}`}`,
    cpuSeconds: async () => {
      const info = await redis.info('cpu');
      const of = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)[1]);
      return of('used_cpu_user_main_thread') + of('used_cpu_sys_main_thread');
    },
    usedBytes: async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]),
    /** Calls of each command since the start, those of scripts included. */
    calls: async () => {
      const lines = (await redis.info('commandstats')).matchAll(/^cmdstat_(\S+):calls=(\d+)/gm);
      return new Map(Array.from(lines, ([, command, calls]) => [command, Number(calls)]));
    },
    /** Bytes received and sent since the start. */
    bytes: async () => {
      const lines = (await redis.info('stats')).matchAll(/^total_net_(input|output)_bytes:(\d+)/gm);
      return new Map(Array.from(lines, ([, way, bytes]) => [`bytes of ${way}`, Number(bytes)]));
    },
    flush: () => redis.flushall(),
    stop: async () => {
      redis.disconnect();
      await found.stop();
    },
  };
}
