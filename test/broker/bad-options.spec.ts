import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BrokerModule,
  ConfigurationError,
  Every,
  Handles,
  InMemoryPartitionStore,
  On,
  RedisPartitionStore,
  RedisStreamsClient,
  RedisStreamsServer,
} from '@millrace/broker';
import type { BrokerModuleOptions } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';

@Event('desk.asked')
class Asked {}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask')
class Ask extends Command<Answered> {}

class Desk {}

/** What a program without types, or a configuration file, may give. */
type Anything = Record<string, unknown>;

async function start(options: Anything): Promise<void> {
  const all = { context: 'desk', store: new InMemoryPartitionStore(), ...options } as unknown as BrokerModuleOptions;
  @Module({ imports: [BrokerModule.forRootAsync({ useFactory: () => all })] })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] }).compile();
  try {
    await module.init();
  } finally {
    await module.close();
  }
}

const LONGEST = 2 ** 31 - 1;
const timer = `an integer from 1 to ${LONGEST}`;
const positive = 'an integer of at least 1';

describe('a service does not start with', () => {
  it.each<[Anything, string]>([
    ...['concurrency', 'prefetch', 'prefetchBytes', 'readCount'].flatMap((name): [Anything, string][] =>
      [0, -1, NaN, 1.5, '4', null].map((value) => [
        { [name]: value },
        `has ${name}: ${shown(value)}; it must be ${positive}`,
      ]),
    ),
    ...['handlerTimeoutMs', 'blockMs', 'timerLatencyMs'].flatMap((name): [Anything, string][] =>
      [0, -1, NaN, LONGEST + 1].map((value) => [{ [name]: value }, `has ${name}: ${value}; it must be ${timer}`]),
    ),
    [{ leaseTtlMs: 2 }, `has leaseTtlMs: 2; it must be an integer from 100 to ${LONGEST}`],
    [{ drainMs: -1 }, 'has drainMs: -1'],
    [{ dedupeWindowMs: 0 }, `has dedupeWindowMs: 0; it must be ${positive}`],
    [{ dedupeWindowMs: NaN }, `has dedupeWindowMs: NaN; it must be ${positive}`],
    [{ replyTtlMs: -5 }, 'has replyTtlMs: -5'],
    [{ rate: { limit: 0, perMs: 10 } }, 'has rate: { limit: 0, perMs: 10 }; it must be { limit, perMs }'],
    [{ rate: { limit: 5, perSecond: 1 } }, 'it must be { limit, perMs }, integers of at least 1'],
    [{ rate: 5 }, 'has rate: 5'],
    [{ retry: { attempts: 0 } }, 'has retry.attempts: 0; it must be an integer of at least 1, or Infinity'],
    [{ retry: { delayMs: NaN } }, 'has retry.delayMs: NaN'],
    [{ retry: { factor: 0.5 } }, 'has retry.factor: 0.5; it must be a number of at least 1'],
    [{ retry: { jitter: 2 } }, 'has retry.jitter: 2; it must be a number from 0 to 1'],
    [{ retry: { retryIf: true } }, 'has retry.retryIf: true; it must be a function'],
    [{ retry: { retries: 3 } }, 'has retry.retries, which is no option: write one of attempts, delayMs'],
    [{ ordering: 'log' }, "has ordering: 'log'; it must be one of 'key', 'partition', 'none'"],
    [{ undeclaredSchedules: 'keep' }, "it must be one of 'report', 'remove'"],
    [{ groups: { mailer: { concurency: 3 } } }, 'has groups.mailer.concurency, which is no option'],
    [{ groups: { mailer: { concurrency: -3 } } }, 'has groups.mailer.concurrency: -3'],
    [{ groups: { mailer: {} } }, "groups: { 'mailer' } gives options to a group that no handler has"],
    [{ concurency: 3 }, 'BrokerModule.forRoot has concurency, which is no option: write one of context, partitions'],
    [{ partitions: NaN }, 'it must be an integer from 1 to 1024'],
    [{ context: undefined }, 'BrokerModule.forRoot has context: undefined; it must be a text that is not empty'],
    [{ context: '' }, "BrokerModule.forRoot has context: ''"],
    [{ validate: 'no' }, "has validate: 'no'; it must be one of true, false"],
    [{ autoStart: 0 }, 'has autoStart: 0'],
    [{ limits: { maxBytes: 0 } }, 'has limits.maxBytes: 0'],
    [{ limits: { maxSize: 10 } }, 'has limits.maxSize, which is no option'],
    [
      { retention: { feed: { maxLength: -1 } } },
      'has retention.feed.maxLength: -1; it must be an integer of at least 0',
    ],
    [{ retention: { feed: { maxAge: 10 } } }, 'has retention.feed.maxAge, which is no option'],
    [{ retention: { feeds: {} } }, 'has retention.feeds, which is no option'],
    [{ retention: { followers: { expireAfterMs: NaN } } }, 'has retention.followers.expireAfterMs: NaN'],
    [{ health: { degraded: { maxLag: -1 } } }, 'has health.degraded.maxLag: -1'],
    [{ health: { down: { lag: 1 } } }, 'has health.down.lag, which is no option'],
    [{ redis: { host: 'localhost' } }, 'has redis.host, which is no option: write one of url, options, cluster'],
    [{ redis: 'redis://user:secret@localhost' }, "has redis: 'redis://***@localhost'; it must be { url, options"],
    [{ redis: { cluster: [{ host: 'a' }] } }, 'it must be a list of { host, port }, at least one'],
    [{ rate: { limit: 5, perMs: undefined } }, 'it must be { limit, perMs }'],
    [{ redis: { url: '' } }, 'has redis.url that is no address of a Redis'],
    [{ redis: { url: 'http://user:secret@localhost' } }, 'has redis.url that is no address of a Redis'],
    [{ redis: { deadlineMs: 0 } }, `has redis.deadlineMs: 0; it must be ${timer}`],
    [{ redis: { patienceMs: -1 } }, 'has redis.patienceMs: -1'],
    [{ redis: { cluster: [] } }, 'has redis.cluster: []; it must be a list of { host, port }, at least one'],
    [{ redis: { delivery: 'both' } }, "it must be one of 'direct', 'outbox'"],
  ])('%j: %s', async (options, message) => {
    const started = start(options);
    await expect(started).rejects.toThrow(ConfigurationError);
    await expect(started).rejects.toThrow(message);
    await expect(started).rejects.not.toThrow('secret');
  });

  it('but with options that are undefined, as if they were left out', async () => {
    await start({ concurrency: undefined, redis: undefined, retention: undefined, autoStart: undefined });
  });
});

describe('a declaration is refused', () => {
  const none = { value: (): never => new Answered() as never };
  it.each<[string, () => void, string]>([
    [
      '@On',
      () => On(Asked, { gruop: 'mailer' } as object)(Desk.prototype, 'handle', none),
      '@On(Asked) has gruop, which is no option',
    ],
    ['@On', () => On(Asked, { concurrency: 0 })(Desk.prototype, 'handle', none), '@On(Asked) has concurrency: 0'],
    ['@On', () => On(Asked, { group: '' })(Desk.prototype, 'handle', none), "@On(Asked) has group: ''"],
    [
      '@On',
      () => On(Asked, { everyInstance: 'yes' } as object)(Desk.prototype, 'handle', none),
      "@On(Asked) has everyInstance: 'yes'",
    ],
    [
      '@Handles',
      () => Handles(Ask, { group: 'x' } as object)(Desk.prototype, 'handle', none),
      "@Handles(Ask) has group, which is for events: commands have the context's own group",
    ],
    [
      '@Handles',
      () => Handles(Ask, { handlerTimeoutMs: -1 })(Desk.prototype, 'handle', none),
      '@Handles(Ask) has handlerTimeoutMs: -1',
    ],
    [
      '@Every',
      () => Every('* * * * *', () => new Asked(), { timezone: 'UTC' } as object)(class {}),
      'has timezone, which is no option',
    ],
    [
      '@Every',
      () => Every('* * * * *', () => new Asked(), { missed: 'some' as 'skip' })(class {}),
      "has missed: 'some'",
    ],
  ])('%s: %#', (_decorator, declare, message) => {
    expect(declare).toThrow(ConfigurationError);
    expect(declare).toThrow(message);
  });
});

describe('what is made without a module is checked too', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a server without its group',
      () => new RedisStreamsServer({} as never),
      'RedisStreamsServer has group: undefined',
    ],
    [
      'a server',
      () => new RedisStreamsServer({ group: 'desk', host: 'x' } as never),
      'RedisStreamsServer has host, which is no option',
    ],
    [
      'a server',
      () => new RedisStreamsServer({ group: 'desk', concurrency: 0 }),
      'RedisStreamsServer has concurrency: 0',
    ],
    [
      'a server',
      () => new RedisStreamsServer({ group: 'desk', unknownRequests: 'drop' as 'skip' }),
      "has unknownRequests: 'drop'",
    ],
    [
      'a server',
      () => new RedisStreamsServer({ group: 'desk', redis: { db: 1 } } as never),
      'has redis.db, which is no option',
    ],
    [
      'a client',
      () => new RedisStreamsClient({ timeout: 5 } as never),
      'RedisStreamsClient has timeout, which is no option',
    ],
    ['a client', () => new RedisStreamsClient({ timeoutMs: 0 }), 'RedisStreamsClient has timeoutMs: 0'],
    ['a client', () => new RedisStreamsClient({ url: 'amqp://localhost' }), 'has url that is no address of a Redis'],
    ['a store', () => new RedisPartitionStore({ deadlineMs: -1 }), 'the Redis store has deadlineMs: -1'],
    [
      'a store',
      () => new RedisPartitionStore({ namspace: 'x' } as never),
      'the Redis store has namspace, which is no option',
    ],
  ])('%s: %#', (_what, make, message) => {
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
