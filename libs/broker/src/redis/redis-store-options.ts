import type { ClusterOptions, RedisOptions } from 'ioredis';
import { all, fields, must } from '../core/options/check-options.js';
import type { Rules } from '../core/options/check-options.js';
import { duration, durationOrNone, func, integer, oneOf, redisUrl, text, thing } from '../core/options/rules.js';

/**
 * How messages for other partitions leave a commit: `direct` writes them into the target's inbox (one slot for all keys:
 * standalone and Sentinel), `outbox` into `out` of the own partition, from where a relay delivers them (Cluster).
 */
export type Delivery = 'direct' | 'outbox';

/** Where a node of a Redis Cluster is. */
export interface ClusterNode {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is. */
export interface RedisTarget {
  /** `redis://user:password@host:port/db`, `rediss://` for TLS. Default `redis://127.0.0.1:6379`. */
  readonly url?: string;
  /** Further ioredis options (TLS, Sentinel, credentials). */
  readonly options?: RedisOptions;
  /** Some nodes of a Redis Cluster, instead of `url`; `options` hold for the connection to each node. */
  readonly cluster?: readonly ClusterNode[];
  /** Further ioredis options of a cluster (`natMap`, `dnsLookup`). */
  readonly clusterOptions?: Pick<ClusterOptions, 'natMap' | 'dnsLookup' | 'slotsRefreshTimeout'>;
}

export interface RedisStoreOptions extends RedisTarget {
  /** Separates systems that share a Redis. Default `millrace`. */
  readonly namespace?: string;
  /** How long a repeatable commit is tried while Redis is away, ms. Default 30000. */
  readonly patienceMs?: number;
  /** Time for one command, ms. Default 10000. */
  readonly deadlineMs?: number;
  /** Default: `outbox` on a cluster, else `direct`. */
  readonly delivery?: Delivery;
}

const NODE = all<ClusterNode>({ host: text, port: integer(1, 65_535) }, '{ host, port }');

/** The further options are ioredis' own to check. */
export const STORE_RULES: Rules<RedisStoreOptions> = {
  url: redisUrl,
  options: thing,
  cluster: must(
    'a list of { host, port }, at least one',
    (value) => Array.isArray(value) && value.length > 0 && value.every((node) => NODE(node, '') === undefined),
  ),
  clusterOptions: fields<NonNullable<RedisTarget['clusterOptions']>>({
    natMap: must(
      'an object or a function',
      (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
    ),
    dnsLookup: func,
    slotsRefreshTimeout: duration,
  }),
  namespace: text,
  patienceMs: durationOrNone,
  deadlineMs: duration,
  delivery: oneOf('direct', 'outbox'),
};
