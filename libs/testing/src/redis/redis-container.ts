import type { FoundRedis } from './found-redis.js';
import { askRedis } from './ask-redis.js';

const IMAGE = 'redis:7-alpine';

/** Whether Testcontainers is installed and a Docker engine answers. */
export async function dockerAnswers(): Promise<boolean> {
  try {
    const { getContainerRuntimeClient } = await import('testcontainers');
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

/** Starts `redis:7-alpine` in Docker, with an append-only file inside the container. */
export async function redisFromContainer(): Promise<FoundRedis> {
  const { RedisContainer } = await import('@testcontainers/redis');
  const server = [
    'redis-server',
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--maxmemory-policy',
    'noeviction',
  ];
  const container = await new RedisContainer(IMAGE).withCommand(server).start();
  const url = container.getConnectionUrl();
  const { product, version } = await askRedis(url, 10_000);
  let stopped: Promise<unknown> | undefined;
  return {
    url,
    kind: 'container',
    source: `Docker (${IMAGE}), private, port ${container.getPort()}`,
    product,
    version,
    stop: async () => void (await (stopped ??= container.stop())),
  };
}
