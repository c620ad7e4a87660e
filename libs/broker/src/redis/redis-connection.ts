import { Redis } from 'ioredis';
import type { Cluster, RedisOptions } from 'ioredis';
import { callFlat } from './flat-command.js';
import { ready } from './ready.js';
import { ReplyTap } from './reply-tap.js';
import type { RedisTarget } from './redis-store-options.js';

export const DEFAULT_URL = 'redis://127.0.0.1:6379';

/**
 * How long a connection that is given up may take to end, ms. ioredis keeps the process alive for as long (by itself 2 s),
 * even for one that the server has ended already.
 */
export const DISCONNECT_MS = 100;

/** The narrow port to a Redis client: everything Millrace asks of ioredis. */
export interface RedisConnection {
  readonly client: Redis | Cluster;
  /**
   * Sends one command, once. Rejects with the server's error; with {@link StoreUnavailableError} when it was never sent;
   * with another error when the reply was lost.
   */
  send(command: string, args: readonly (string | number)[]): Promise<unknown>;
  /** As `send`, for a command that answers with entries of streams; on a connection for reading it costs less. */
  read(command: string, args: readonly (string | number)[]): Promise<unknown>;
  /** Sends a command that has no key to every server that holds data; answers in no particular order. */
  everywhere(command: string, args: readonly (string | number)[]): Promise<unknown[]>;
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
  const redis = new Redis(target.url ?? DEFAULT_URL, clientOptions(target, name, deadlineMs));
  // Without a listener ioredis prints every failed attempt; callers learn of them through their commands.
  redis.on('error', () => undefined);
  return wrap(redis, deadlineMs, () => openConnection(target, name, 0));
}

/** How every connection behaves, to a server as well as to a node of a cluster. */
export function clientOptions(target: RedisTarget, name: string, deadlineMs: number): RedisOptions {
  return {
    disconnectTimeout: DISCONNECT_MS,
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
    retryStrategy: reconnectDelay,
    ...(deadlineMs > 0 ? { commandTimeout: deadlineMs } : {}),
  };
}

/** Milliseconds until the next attempt to connect. */
export function reconnectDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);
}

/** A client of one server as a connection. */
export function wrap(redis: Redis, deadlineMs: number, duplicate: () => RedisConnection): RedisConnection {
  const call = (command: string, args: readonly (string | number)[]) => {
    if (deadlineMs > 0 && args.length < MANY_ARGUMENTS) inOneWrite(redis);
    return callFlat(redis, command, args);
  };
  const whenReady =
    (act: RedisConnection['send']): RedisConnection['send'] =>
    (command, args) =>
      redis.status === 'ready' ? act(command, args) : ready(redis, deadlineMs).then(() => act(command, args));
  // Without a deadline it is for reading.
  const tap = deadlineMs === 0 ? new ReplyTap(redis, call) : undefined;
  const send = whenReady(tap?.send ?? call);
  // Every command that waits for the connection listens to it.
  redis.setMaxListeners(0);
  return {
    client: redis,
    send,
    read: tap ? whenReady(tap.read) : send,
    everywhere: async (command, args) => [await send(command, args)],
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

/** A call of a script with many messages is a write of its own: waiting for others only costs. */
const MANY_ARGUMENTS = 64;

/** Commands of one turn of the event loop go to the server in one write: a system call costs as much as the command. */
function inOneWrite({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}
