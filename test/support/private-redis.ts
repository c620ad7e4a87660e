import { findRedis } from '@millrace/testing';
import type { FoundRedis } from '@millrace/testing';
import { Redis } from 'ioredis';
import { onTestFinished } from './redis.js';

/** A server of the test's own, to be configured and crashed. */
export async function privateRedis(): Promise<FoundRedis & { readonly crash: () => Promise<void> }> {
  const redis = await findRedis({ skip: ['url', 'container'] });
  onTestFinished(() => redis.stop());
  if (!redis.crash) throw new Error(`a server from ${redis.source} cannot be crashed`);
  return { ...redis, crash: redis.crash };
}

/** A connection for commands past Millrace. */
export function admin(url: string): Redis {
  const redis = new Redis(url, { lazyConnect: true, disconnectTimeout: 100 });
  redis.on('error', () => undefined);
  onTestFinished(async () => redis.disconnect());
  return redis;
}
