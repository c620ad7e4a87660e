import { askRedis } from './ask-redis.js';
import type { FoundRedis } from './found-redis.js';
import { NoRedisError } from './found-redis.js';

/**
 * The server named by `REDIS_URL`. It is used as it is and never stopped.
 *
 * @throws NoRedisError when it cannot be used: whoever sets the variable wants that server and no other
 */
export async function redisFromUrl(url: string, timeoutMs?: number): Promise<FoundRedis> {
  const place = placeOf(url);
  try {
    const { product, version } = await askRedis(url, timeoutMs);
    return { url, kind: 'url', source: `REDIS_URL, ${place}`, product, version, stop: async () => undefined };
  } catch (error) {
    throw new NoRedisError(`REDIS_URL names ${place}, ${explain(error as Error & { code?: string })}`, {
      cause: error,
    });
  }
}

/** Host and port without user and password. */
function placeOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new NoRedisError('REDIS_URL is no URL: write redis://[user:password@]host:port, or unset it.');
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw new NoRedisError(
      `REDIS_URL starts with ${parsed.protocol}//: write redis:// (or rediss:// for TLS), or unset it.`,
    );
  }
  return `${parsed.hostname || '127.0.0.1'}:${parsed.port || '6379'}`;
}

function explain(error: Error & { code?: string }): string {
  const words = error.message;
  if (/WRONGPASS|invalid password|invalid username/i.test(words)) {
    return 'which refuses the user or password: correct them in redis://user:password@host:port.';
  }
  if (/NOAUTH/.test(words)) return 'which wants a password: write redis://:password@host:port.';
  if (/NOPERM/.test(words)) return `whose user may not run PING and INFO: grant them (${words}).`;
  if (/LOADING/.test(words)) return 'which is still loading its data: try again in a moment.';
  if (error.code === 'ECONNREFUSED') return 'where nothing listens: start that Redis, or unset REDIS_URL.';
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN')
    return 'a host that cannot be found: correct the name, or unset REDIS_URL.';
  if (/ETIMEDOUT|timed? ?out/i.test(`${error.code} ${words}`)) {
    return 'which does not answer: check the address and the firewall, or unset REDIS_URL.';
  }
  return `which cannot be used (${words}): correct it, or unset REDIS_URL.`;
}
