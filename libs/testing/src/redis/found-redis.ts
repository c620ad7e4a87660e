/** Where a Redis can come from, in the order in which they are tried. */
export const REDIS_SOURCES = ['url', 'binary', 'container', 'debian-package'] as const;
export type RedisSource = (typeof REDIS_SOURCES)[number];

/** A Redis to work with. */
export interface FoundRedis {
  /** `redis://...`; may hold a password: don't print it. */
  readonly url: string;
  readonly kind: RedisSource;
  /** Where it comes from, for people. Holds no password. */
  readonly source: string;
  /** `Redis` or `Valkey`. */
  readonly product: string;
  readonly version: string;
  /** Stops it and removes its data, if it was started here; otherwise does nothing. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILLs it and starts it again with the same port and data. Only a private server can. */
  readonly crash?: () => Promise<void>;
}

/** No Redis could be found or used. The message says what to do. */
export class NoRedisError extends Error {
  override readonly name = 'NoRedisError';
  readonly code = 'no-redis';
}
