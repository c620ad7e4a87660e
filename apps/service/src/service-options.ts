import type { BrokerModuleOptions, PartitionStore } from '@millrace/broker';
import type { LoggerService, LogLevel } from '@nestjs/common';

/** How a service of the shop is started. */
export interface ServiceOptions {
  /** Default `redis://127.0.0.1:6379`. */
  readonly redisUrl?: string;
  /** Keeps everything here instead of in Redis. */
  readonly store?: PartitionStore;
  /** Separates shops that share a Redis. Default `millrace`. */
  readonly namespace?: string;
  /** Default: log, warn and error on the console. */
  readonly logger?: LoggerService | LogLevel[] | false;
}

/** Where the partitions of a service are, as the broker wants to know it. */
export function placeOf({ redisUrl, store, namespace }: ServiceOptions): Partial<BrokerModuleOptions> {
  return {
    ...(redisUrl === undefined ? {} : { redis: { url: redisUrl } }),
    ...(store === undefined ? {} : { store }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}
