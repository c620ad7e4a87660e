import { Redis } from 'ioredis';
import { ConfigurationError, StoreUnavailableError } from '../core/errors.js';
import type { RedisTarget } from './redis-store-options.js';
import { DEFAULT_URL, DISCONNECT_MS } from './redis-connection.js';
import { explainRedisError, withoutSecrets } from './redis-errors.js';

/** How long a server may take to answer, ms. */
const PATIENCE_MS = 5_000;

/**
 * Connects once and says in a sentence what is wrong when that fails. Of a cluster, one of the nodes named is enough.
 *
 * @throws StoreUnavailableError when nothing answers, or the password is wrong
 * @throws ConfigurationError when it is no cluster, or a cluster that is not expected
 */
export async function checkReachable(target: RedisTarget): Promise<void> {
  const urls = target.cluster?.map(({ host, port }) => `redis://${host}:${port}`) ?? [target.url ?? DEFAULT_URL];
  const answers = await Promise.allSettled(urls.map((url) => modeOf(url, target)));
  const modes = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  for (const answer of answers) if (answer.status === 'rejected' && modes.length === 0) throw answer.reason;
  const isCluster = modes.includes('cluster');
  if (isCluster === (target.cluster !== undefined)) return;
  const place = withoutSecrets(urls[0]!);
  const { hostname, port } = new URL(place);
  throw new ConfigurationError(
    isCluster
      ? `Redis at ${place} is a node of a cluster: write redis: { cluster: [{ host: '${hostname}', port: ${port || 6379} }] }`
      : `Redis at ${place} is no cluster: write redis: { url: '${place}' }`,
  );
}

/** `standalone`, `cluster` or `sentinel`. */
async function modeOf(url: string, target: RedisTarget): Promise<string> {
  const redis = new Redis(url, {
    disconnectTimeout: DISCONNECT_MS,
    ...target.options,
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    showFriendlyErrorStack: false,
  });
  let failure: unknown;
  redis.on('error', (error) => (failure ??= error));
  try {
    await redis.connect();
    return /(?:redis|server)_mode:(\w+)/.exec(await redis.info('server'))?.[1] ?? 'standalone';
  } catch (error) {
    const cause = failure ?? error;
    throw new StoreUnavailableError(explainSentinel(target, cause) ?? explainRedisError(cause, url), { cause });
  } finally {
    redis.disconnect();
  }
}

/** Undefined when it has nothing to do with Sentinel. */
function explainSentinel({ options: { sentinels, name } = {} }: RedisTarget, error: unknown): string | undefined {
  if (!sentinels || !String(error).includes('entinel')) return undefined;
  const places = sentinels.map(({ host = 'localhost', port = 26379 }) => `${host}:${port}`).join(', ');
  return `no Sentinel of '${name}' answers at ${places}, or none of them knows it: check redis.options.sentinels and name`;
}
