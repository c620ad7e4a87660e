import type { FoundRedis } from './found-redis.js';
import { askRedis } from './ask-redis.js';

const IMAGE = 'redis:7-alpine';
// The engine publishes the port, so Redis sees every client as a stranger.
const COMMAND =
  'redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction --protected-mode no';

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

/**
 * Starts `redis:7-alpine` in Docker, with an append-only file inside the container.
 *
 * @throws Error when the image cannot be had or the container does not answer
 */
export async function redisFromContainer(): Promise<FoundRedis> {
  const { RedisContainer } = await import('@testcontainers/redis');
  const container = await new RedisContainer(IMAGE).withCommand(COMMAND.split(' ')).start();
  let stopped: Promise<unknown> | undefined;
  const stop = async () => void (await (stopped ??= container.stop()));
  const url = `redis://${container.getHost()}:${container.getPort()}`;
  try {
    const { product, version } = await askRedis(url, 10_000);
    const source = `Docker (${IMAGE}), private, port ${container.getPort()}`;
    return { url, kind: 'container', source, product, version, stop };
  } catch (error) {
    await stop();
    throw new Error(`Redis in Docker did not answer at ${url}: ${(error as Error).message}`, { cause: error });
  }
}
