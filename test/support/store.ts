import type { BrokerModuleOptions } from '@millrace/broker';
import { RedisPartitionStore } from '@millrace/broker';
import { freshNamespace, onTestFinished, redisUrl } from './redis.js';

/** A store in the Redis of the test run, on a connection of its own; closed when the test has finished. */
export async function redisStore(namespace = freshNamespace()): Promise<RedisPartitionStore> {
  const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
  onTestFinished(() => store.close());
  return store;
}

/** Options of a module that opens such a store, and closes it with the application. */
export function inRedis(namespace = freshNamespace()): Pick<BrokerModuleOptions, 'redis' | 'namespace'> {
  return { redis: { url: redisUrl() }, namespace };
}
