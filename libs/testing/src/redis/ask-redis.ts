import { Redis } from 'ioredis';

/** What a server says about itself. */
export interface RedisAnswer {
  readonly product: string;
  readonly version: string;
  readonly pid: number;
}

/**
 * PINGs a server and asks who it is. Waits while it loads its data.
 *
 * @param timeoutMs for connecting and for each answer, and how long loading may take
 * @throws what ioredis threw, with the server's own words
 */
export async function askRedis(url: string, timeoutMs = 3000): Promise<RedisAnswer> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await askOnce(url, timeoutMs);
    } catch (error) {
      if (!/LOADING/.test(String(error)) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function askOnce(url: string, timeoutMs: number): Promise<RedisAnswer> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: 100,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The reason arrives here; connect() itself only says "Connection is closed".
  let reason: Error | undefined;
  redis.on('error', (error: Error) => (reason ??= error));
  try {
    await redis.connect();
    await redis.ping();
    return readInfo(await redis.info('server'));
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

function readInfo(info: string): RedisAnswer {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  return {
    product: valkey ? 'Valkey' : 'Redis',
    version: valkey ?? field('redis_version') ?? 'unknown',
    pid: Number(field('process_id') ?? 0),
  };
}
