import calculateSlot from 'cluster-key-slot';
import { Cluster } from 'ioredis';
import type { Redis } from 'ioredis';
import { StoreUnavailableError } from '../core/errors.js';
import { ready } from './ready.js';
import { clientOptions, reconnectDelay, wrap } from './redis-connection.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisTarget } from './redis-store-options.js';

/** A connection to a Redis Cluster: every command goes to the node that has its key, also while slots move. */
export interface ClusterConnection extends RedisConnection {
  /**
   * Opens a connection of its own to the node that has a key now. When the node goes, or the key moves, it is of no more
   * use: open another one.
   */
  at(key: string): Promise<NodeConnection>;
}

export interface NodeConnection extends RedisConnection {
  /** Makes a read that waits answer with nothing, from the side (CLIENT UNBLOCK). False: not allowed here. */
  unblock(): Promise<boolean>;
}

/** How long ago slots may have moved before a client that does nothing knows, ms. */
const REFRESH_MS = 5_000;
/** ioredis tells so of a command that was redirected until it gave up; the last answer was a refusal, so nothing was done. */
const GAVE_UP = /^Too many Cluster redirections\. Last error: ReplyError/;

/** @see openConnection */
export function openClusterConnection(target: RedisTarget, name: string, deadlineMs: number): ClusterConnection {
  const cluster = new Cluster([...(target.cluster ?? [])], {
    ...target.clusterOptions,
    redisOptions: nodeOptions(target, name, deadlineMs),
    lazyConnect: true,
    // A lost reply is an error and not a repetition.
    retryDelayOnFailover: 0,
    // Whoever waits for a cluster without a master decides for how long.
    retryDelayOnClusterDown: 0,
    slotsRefreshInterval: REFRESH_MS,
    clusterRetryStrategy: reconnectDelay,
  });
  cluster.on('error', () => undefined);
  cluster.setMaxListeners(0);
  const send: RedisConnection['send'] = async (command, args) => {
    if (cluster.status !== 'ready') await ready(cluster, deadlineMs);
    try {
      return await cluster.call(command.toLowerCase(), ...args);
    } catch (error) {
      if (!(error instanceof Error) || !GAVE_UP.test(error.message)) throw error;
      throw new StoreUnavailableError(`the cluster is being changed: ${error.message}`, { cause: error });
    }
  };
  return {
    client: cluster,
    send,
    read: send,
    everywhere: async (command, args) => {
      if (cluster.status !== 'ready') await ready(cluster, deadlineMs);
      return Promise.all(cluster.nodes('master').map((node) => node.call(command, ...args)));
    },
    at: async (key) => {
      if (cluster.status !== 'ready') await ready(cluster, deadlineMs);
      return openNode(nodeOf(cluster, key));
    },
    duplicate: () => openClusterConnection(target, name, deadlineMs),
    onLost: (callback) => void cluster.on('-node', callback),
    reset: () => cluster.disconnect(true),
    quit: async () => {
      if (cluster.status === 'ready') await cluster.quit().catch(() => cluster.disconnect());
      else cluster.disconnect();
    },
    disconnect: () => cluster.disconnect(),
  };
}

/** Options of the connection to one node. A command that waits for it must not outlive its caller's patience. */
function nodeOptions(target: RedisTarget, name: string, deadlineMs: number) {
  const { retryStrategy: _, enableOfflineQueue: __, ...options } = clientOptions(target, name, deadlineMs);
  return { ...options, connectTimeout: Math.min(options.connectTimeout ?? 5_000, (deadlineMs || 10_000) / 2) };
}

function nodeOf(cluster: Cluster, key: string): Redis {
  const place = cluster.slots[calculateSlot(key)]?.[0];
  const node = cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === place);
  if (!node) throw new StoreUnavailableError(`no node of the cluster has the slot of ${key} at this time`);
  return node;
}

function openNode(node: Redis): NodeConnection {
  const redis = node.duplicate({
    lazyConnect: true,
    enableOfflineQueue: false,
    // It may be another node that has the slot next time.
    retryStrategy: null,
    // A read waits as long as it likes; its reader has a watchdog.
    commandTimeout: undefined,
  });
  redis.on('error', () => undefined);
  let id: Promise<unknown> | undefined;
  const connection = wrap(redis, 0, () => openNode(node));
  const identify = (): void => {
    id ??= connection.send('CLIENT', ['ID']);
    // Its failure shows where it is waited for, and in the command itself.
    id.catch(() => undefined);
  };
  return {
    ...connection,
    send: (command, args) => {
      identify();
      return connection.send(command, args);
    },
    read: (command, args) => {
      identify();
      return connection.read(command, args);
    },
    unblock: async () => {
      try {
        await node.call('CLIENT', 'UNBLOCK', String(await id));
        return true;
      } catch (error) {
        return !(error instanceof Error && error.message.startsWith('NOPERM'));
      }
    },
  };
}
