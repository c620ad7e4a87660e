import { Broker, InMemoryPartitionStore, KeyBuilder, Publisher, RedisPartitionStore } from '@millrace/broker';
import { Subscriber, Subscriptions } from '@millrace/broker';
import type {
  Clock,
  DeadLetter,
  HandlerDeclaration,
  Logger,
  MessageContext,
  PartitionStore,
  Source,
  SubscriberSettings,
} from '@millrace/broker';
import { Cluster, Redis } from 'ioredis';
import { freshNamespace, onTestFinished, redisUrl } from './redis.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- data of hand-written messages
export type Handle = (data: any, context: MessageContext) => Promise<object | void> | object | void;

export interface SiteOptions {
  readonly url?: string;
  readonly namespace?: string;
  readonly partitions?: number;
  readonly patienceMs?: number;
  /** What the service takes for the time. Default: the system's. */
  readonly clock?: Clock;
}

type Append = (source: Source, fields: readonly string[]) => Promise<unknown>;

/** The context `work` in a store of its own, where messages are written by hand. Closed when the test has finished. */
export class Site {
  readonly context = 'work';
  readonly keys: KeyBuilder;
  readonly broker: Broker;
  readonly publisher: Publisher;

  constructor(
    readonly store: PartitionStore,
    readonly namespace: string,
    readonly partitions: number,
    private readonly append: Append,
    clock?: Clock,
  ) {
    this.keys = new KeyBuilder(namespace);
    this.broker = new Broker(store, { context: this.context, partitions, ...(clock ? { clock } : {}) });
    this.publisher = new Publisher(this.broker);
  }

  /** Adds an entry to the inbox of a partition. */
  async write(fields: readonly string[], index = 0): Promise<void> {
    await this.writeTo(this.inbox(index), fields);
  }

  /** Adds an entry to any log. */
  async writeTo(source: Source, fields: readonly string[]): Promise<void> {
    await this.append(source, fields);
  }

  /** Adds a message with the two fields that are enough, and its key. */
  async say(type: string, data: unknown, key?: string): Promise<void> {
    const more = key === undefined ? [] : ['partitionkey', key];
    await this.write(['type', type, 'data', JSON.stringify(data), ...more]);
  }

  inbox(index = 0): Source {
    return { partition: { context: this.context, index }, log: 'in' };
  }

  /** A subscriber with a handler for each type; several make several processes of one service. */
  subscriber(
    handlers: Readonly<Record<string, Handle>>,
    settings: SubscriberSettings = {},
    logger?: Logger,
  ): Subscriber {
    const subscriptions = new Subscriptions(this.context);
    for (const [type, handle] of Object.entries(handlers)) subscriptions.add(this.declaration(type, handle));
    const subscriber = new Subscriber(this.broker, subscriptions, { blockMs: 100, ...settings }, logger);
    onTestFinished(() => subscriber.stop());
    return subscriber;
  }

  async start(handlers: Readonly<Record<string, Handle>>, settings?: SubscriberSettings): Promise<Subscriber> {
    const subscriber = this.subscriber(handlers, settings);
    await subscriber.start();
    return subscriber;
  }

  async deadLetters(index = 0): Promise<readonly DeadLetter[]> {
    return this.store.readDeadLetters({ context: this.context, index }, 10_000);
  }

  /** Entries that are not acknowledged, delivered or not. */
  async open(index = 0): Promise<number> {
    const { pending, waiting } = await this.store.backlog(this.inbox(index), this.context);
    return pending + waiting;
  }

  private declaration(type: string, handle: Handle): HandlerDeclaration {
    return { name: `site ${type}`, type, context: this.context, log: 'in', handle };
  }
}

export async function redisSite(options: SiteOptions = {}): Promise<Site> {
  const { url = redisUrl(), namespace = freshNamespace(), partitions = 1, clock } = options;
  const store = await RedisPartitionStore.connect({ url, namespace, patienceMs: options.patienceMs ?? 30_000 });
  const raw = new Redis(url, { lazyConnect: true, disconnectTimeout: 100 });
  raw.on('error', () => undefined);
  const keys = new KeyBuilder(namespace);
  onTestFinished(async () => {
    raw.disconnect();
    await store.close();
  });
  const append: Append = (source, fields) => raw.xadd(keys.log(source), '*', ...fields);
  return new Site(store, namespace, partitions, append, clock);
}

/** In a store that the test has opened. Messages are sent and not written by hand. */
export function siteIn(store: PartitionStore): Site {
  return new Site(store, 'unknown', 1, () => Promise.reject(new Error('nothing can be written by hand here')));
}

/** Every call opens a store of its own, as another process would. */
export async function clusterSite(
  cluster: readonly { readonly host: string; readonly port: number }[],
  { namespace = freshNamespace(), partitions = 1, patienceMs = 30_000 }: SiteOptions = {},
): Promise<Site> {
  const store = await RedisPartitionStore.connect({ cluster, namespace, patienceMs });
  const raw = new Cluster([...cluster], { lazyConnect: true });
  raw.on('error', () => undefined);
  const keys = new KeyBuilder(namespace);
  onTestFinished(async () => {
    raw.disconnect();
    await store.close();
  });
  return new Site(store, namespace, partitions, (source, fields) => raw.xadd(keys.log(source), '*', ...fields));
}

export async function memorySite({ partitions = 1, clock }: SiteOptions = {}): Promise<Site> {
  const store = new InMemoryPartitionStore();
  return new Site(store, 'memory', partitions, (source, fields) => store.append(source, fields), clock);
}

export const SITES: [string, (options?: SiteOptions) => Promise<Site>][] = [
  ['Redis', redisSite],
  ['memory', memorySite],
];

/** A promise and the function that resolves it. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}
