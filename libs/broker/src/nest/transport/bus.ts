import type { MessageLimits } from '@millrace/messages';
import { Broker } from '../../core/broker.js';
import { BROKER_RULES } from '../../core/broker-settings.js';
import { checkContext } from '../../core/keys.js';
import { fields } from '../../core/options/check-options.js';
import type { Rules } from '../../core/options/check-options.js';
import { store, yesOrNo } from '../../core/options/rules.js';
import type { PartitionStore } from '../../core/partition-store.js';
import { RedisPartitionStore } from '../../redis/redis-partition-store.js';
import { STORE_RULES } from '../../redis/redis-store-options.js';
import type { RedisStoreOptions } from '../../redis/redis-store-options.js';
import { openTelemetry } from '../../telemetry/load.js';

export const DEFAULT_CONTEXT = 'nest';

/** Where the messages of a transport go. Servers and clients that are to meet have the same bus. */
export interface BusOptions {
  /** `redis://user:password@host:port/db`. Default `redis://127.0.0.1:6379`. */
  readonly url?: string;
  /** Further options of the connection (TLS, Sentinel, deadlines). */
  readonly redis?: Omit<RedisStoreOptions, 'namespace' | 'url'>;
  /** Separates systems that share a Redis. Default `millrace`. */
  readonly namespace?: string;
  /** The context whose feed holds the events and whose inbox holds the requests. Default `nest`. */
  readonly context?: string;
  /** Partitions of the context, fixed when it is first used. Default 4. */
  readonly partitions?: number;
  /** Bounds on one message. Default 256 KiB, 32 levels. */
  readonly limits?: Partial<MessageLimits>;
  /** Traces and metrics by OpenTelemetry, as of `BrokerModule.forRoot`. Default false. */
  readonly telemetry?: boolean;
  /** Another place for the messages, e.g. an InMemoryPartitionStore; `url`, `redis` and `namespace` are not used then. */
  readonly store?: PartitionStore;
}

const { namespace, url, ...FURTHER } = STORE_RULES;
const { context, partitions, limits } = BROKER_RULES;

export const BUS_RULES: Rules<BusOptions> = {
  url,
  redis: fields<Omit<RedisStoreOptions, 'namespace' | 'url'>>(FURTHER),
  namespace,
  context,
  partitions,
  limits,
  telemetry: yesOrNo,
  store,
};

/** The client of ioredis that a bus writes with. */
export type RedisClient = RedisPartitionStore['client'];

/** An open connection to the bus. */
export class Bus {
  private constructor(
    readonly broker: Broker,
    private readonly owned: boolean,
  ) {}

  /**
   * @throws StoreUnavailableError that says what is wrong with the Redis
   * @throws ConfigurationError for a bad name, when the bus has another number of partitions, or when `telemetry` needs a package
   *   that is not installed
   */
  static async open({
    store,
    url,
    redis,
    namespace,
    context = DEFAULT_CONTEXT,
    telemetry,
    ...rest
  }: BusOptions): Promise<Bus> {
    checkContext(context);
    const watcher = telemetry ? await openTelemetry() : undefined;
    const opened =
      store ??
      (await RedisPartitionStore.connect({
        ...redis,
        ...(url === undefined ? {} : { url }),
        ...(namespace === undefined ? {} : { namespace }),
      }));
    const { partitions, limits } = rest;
    const bus = new Bus(
      new Broker(opened, {
        context,
        telemetry: watcher,
        ...(partitions === undefined ? {} : { partitions }),
        ...(limits === undefined ? {} : { limits }),
      }),
      !store,
    );
    try {
      await bus.broker.declare();
    } catch (error) {
      await bus.close();
      throw error;
    }
    return bus;
  }

  /** Undefined where the messages are not in Redis. */
  get client(): RedisClient | undefined {
    const { store } = this.broker;
    return store instanceof RedisPartitionStore ? store.client : undefined;
  }

  async close(): Promise<void> {
    if (this.owned) await this.broker.store.close();
  }
}
