import { installDebianPackage, mayInstall } from '../process/debian-package.js';
import type { FoundRedis, RedisSource } from './found-redis.js';
import { NoRedisError } from './found-redis.js';
import { dockerAnswers, redisFromContainer } from './redis-container.js';
import { findServerBinary, redisFromBinary } from './redis-server-binary.js';
import { redisFromUrl } from './redis-url.js';

export interface FindRedisOptions {
  /** Where `REDIS_URL` and `PATH` are read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sources that are not tried. Default none. */
  readonly skip?: readonly RedisSource[];
  /** Told, in a sentence, before something slow or lasting is done, and when a source fails. Default: nobody. */
  readonly say?: (sentence: string) => void;
}

/**
 * Finds a Redis: `REDIS_URL`; else a private `redis-server` or `valkey-server` from the PATH; else Docker; else, as root
 * on Debian, one installed with apt. Whatever it started ends with `stop()`, and with this process.
 *
 * @throws NoRedisError when `REDIS_URL` cannot be used, or when no source gave one
 */
export async function findRedis(options: FindRedisOptions = {}): Promise<FoundRedis> {
  const { env = process.env, skip = [], say = () => undefined } = options;
  if (env.REDIS_URL && !skip.includes('url')) return redisFromUrl(env.REDIS_URL);

  const failures: string[] = [];
  for (const [source, find] of Object.entries(sources(env, say)) as [RedisSource, Finder][]) {
    if (skip.includes(source)) continue;
    try {
      const found = await find();
      if (!found) continue;
      // Why it is not the one that one would expect; when there is none, the error says it.
      for (const failure of failures) say(failure);
      return found;
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new NoRedisError([...failures, 'No Redis was found.', WAYS_OUT].join('\n'));
}

type Finder = () => Promise<FoundRedis | undefined>;

function sources(
  env: Readonly<Record<string, string | undefined>>,
  say: (sentence: string) => void,
): Record<string, Finder> {
  return {
    binary: async () => {
      const binary = findServerBinary(env.PATH ?? '');
      return binary ? redisFromBinary(binary) : undefined;
    },
    container: async () => {
      if (!(await dockerAnswers())) return undefined;
      say('No redis-server here; starting one with Docker.');
      return redisFromContainer();
    },
    'debian-package': async () => {
      if (!mayInstall()) return undefined;
      say("No Redis here yet; installing Debian's redis-server with apt-get (not as a service).");
      await installDebianPackage('redis-server');
      const installed = await redisFromBinary('/usr/bin/redis-server', 'redis-server installed from Debian');
      return { ...installed, kind: 'debian-package' };
    },
  };
}

const WAYS_OUT = `Any one of these helps:
  install a server      apt-get install redis-server   (or brew install redis, or valkey-server)
  start Docker          one is then started with redis:7-alpine
  name your own server  REDIS_URL=redis://host:6379`;
