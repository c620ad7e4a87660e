import { Redis } from 'ioredis';

/** Deletes every key that a demo run has left in a Redis that is not its own. */
export async function forgetNamespace(url: string, namespace: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, disconnectTimeout: 100 });
  redis.on('error', () => undefined);
  try {
    for (const pattern of [`{${namespace}:*`, `${namespace}:*`]) {
      for await (const keys of redis.scanStream({ match: pattern, count: 500 }) as AsyncIterable<string[]>) {
        if (keys.length > 0) await redis.unlink(...keys);
      }
    }
  } finally {
    redis.disconnect();
  }
}
