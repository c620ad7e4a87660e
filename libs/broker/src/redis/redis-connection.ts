import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { StoreUnavailableError } from '../core/errors.js';
import { explainRedisError } from './redis-errors.js';

export interface RedisTarget {
  /** `redis://user:password@host:port/db`, `rediss://` for TLS. Default `redis://127.0.0.1:6379`. */
  readonly url?: string;
  /** Further ioredis options (TLS, Sentinel, credentials). */
  readonly options?: RedisOptions;
}

/** The narrow port to a Redis client: everything Millrace asks of ioredis. */
export interface RedisConnection {
  readonly client: Redis;
  /**
   * Sends one command, once. Rejects with the server's error; with {@link StoreUnavailableError} when it was never sent;
   * with another error when the reply was lost.
   */
  send(command: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Another connection to the same server. */
  duplicate(): RedisConnection;
  /** Calls back whenever the connection has been lost. */
  onLost(callback: () => void): void;
  /** Drops the connection and connects again, so that a reply nobody waits for cannot arrive. */
  reset(): void;
  /** Waits for replies that are due, then disconnects. */
  quit(): Promise<void>;
  /** Disconnects at once. */
  disconnect(): void;
}

/**
 * A connection that never sends a command twice by itself (a lost reply is an error, not a repetition) and that
 * reconnects for ever.
 *
 * @param name shown in CLIENT LIST; a lease is known to be orphaned when no client has its owner's name
 * @param deadlineMs time for one command, waiting for a connection included; 0: none (blocking readers)
 */
export function openConnection(target: RedisTarget, name: string, deadlineMs: number): RedisConnection {
  const open = (): Redis => {
    const redis = new Redis(target.url ?? 'redis://127.0.0.1:6379', {
      ...target.options,
      lazyConnect: true,
      connectionName: name,
      // RESP2 shapes, the same on ioredis 5 and 6, and cheaper to parse.
      protocol: 2,
      // Zero: a command whose connection breaks rejects at once, instead of waiting for its deadline.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      // A queued command could be sent long after its caller has been told that it failed.
      enableOfflineQueue: false,
      showFriendlyErrorStack: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
      ...(deadlineMs > 0 ? { commandTimeout: deadlineMs } : {}),
    });
    // Without a listener ioredis prints every failed attempt; callers learn of them through their commands.
    redis.on('error', () => undefined);
    return redis;
  };
  return wrap(open(), deadlineMs, () => openConnection(target, name, 0));
}

/**
 * Connects once and says in a sentence what is wrong when that fails.
 *
 * @throws StoreUnavailableError when nothing answers, or the password is wrong
 */
export async function checkReachable(target: RedisTarget): Promise<void> {
  const redis = new Redis(target.url ?? 'redis://127.0.0.1:6379', {
    ...target.options,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    showFriendlyErrorStack: false,
  });
  let failure: unknown;
  redis.on('error', (error) => (failure ??= error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new StoreUnavailableError(explainRedisError(failure ?? error, target.url), { cause: failure ?? error });
  } finally {
    redis.disconnect();
  }
}

function wrap(redis: Redis, deadlineMs: number, duplicate: () => RedisConnection): RedisConnection {
  const call = (command: string, args: readonly (string | number)[]) =>
    redis.call(command, ...args) as Promise<unknown>;
  // Every command that waits for the connection listens to it.
  redis.setMaxListeners(0);
  return {
    client: redis,
    send: (command, args) =>
      redis.status === 'ready' ? call(command, args) : connected(redis, deadlineMs).then(() => call(command, args)),
    duplicate,
    onLost: (callback) => void redis.on('close', callback),
    reset: () => redis.disconnect(true),
    quit: async () => {
      if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
      else redis.disconnect();
    },
    disconnect: () => redis.disconnect(),
  };
}

/** Resolves when commands can be sent. */
function connected(redis: Redis, deadlineMs: number): Promise<void> {
  if (redis.status === 'end')
    return Promise.reject(new StoreUnavailableError('the connection to Redis has been closed'));
  if (redis.status === 'wait') redis.connect().catch(() => undefined);
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      clearTimeout(timer);
      redis.off('ready', ready).off('end', end);
      act();
    };
    const refuse = (text: string) => settle(() => reject(new StoreUnavailableError(text)));
    const ready = settle(resolve);
    const end = refuse('the connection to Redis was closed');
    const late = refuse(`no connection to Redis within ${deadlineMs} ms`);
    const timer = deadlineMs > 0 ? setTimeout(late, deadlineMs) : undefined;
    redis.once('ready', ready).once('end', end);
  });
}
