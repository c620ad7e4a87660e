import { Broker, ConfigurationError, RedisPartitionStore, StoreUnavailableError, UnitOfWork } from '@millrace/broker';
import type { Write } from '@millrace/broker';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { admin, privateRedis } from '../support/private-redis.js';
import { serverProcess } from '../support/server-process.js';
import { redisSite } from '../support/site.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const home = { context: 'work', index: 0 };
const append = (...events: string[]): Write => ({ kind: 'append', stream: 's', events });

describe('a Redis that is killed and started again under load', () => {
  it('costs time, and neither a message nor a second handling', async () => {
    const redis = await privateRedis();
    // Under everysec Redis may answer before it writes, while the disk is busy: then its crash alone loses writes.
    const flushAlways = () => admin(redis.url).config('SET', 'appendfsync', 'always');
    await flushAlways();
    const site = await redisSite({ url: redis.url, partitions: 2 });
    const settings = { leaseTtlMs: 3_000 };
    const handlers = {
      'work.do': ({ n }: { n: number }, { entry }: { entry: { source: { partition: typeof home } } }) => {
        UnitOfWork.current()!.stage(entry.source.partition, { writes: [append(`${n}`)] });
      },
    };
    await site.start(handlers, settings);
    await site.start(handlers, settings);
    const emit = (n: number): Write => ({
      kind: 'emit',
      to: { context: 'work', index: n % 2 },
      message: JSON.stringify({ id: `${n}`, source: '/test', type: 'work.do', data: { n } }),
    });
    const sending: Promise<unknown>[] = [];
    let crashes: Promise<void> = Promise.resolve();
    for (let n = 0; n < 600; n++) {
      const guards = [{ kind: 'command', id: `send-${n}`, result: '', ttlMs: 60_000 }] as const;
      sending.push(site.store.commit({ partition: home, guards, writes: [emit(n)] }));
      if (n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      if (n === 200 || n === 400)
        crashes = crashes.then(() => redis.crash()).then(async () => void (await flushAlways()));
    }
    await Promise.all([crashes, ...sending]);
    await eventually(async () => expect([await site.open(0), await site.open(1)]).toEqual([0, 0]), 15_000);
    const feeds = await Promise.all([0, 1].map((index) => site.store.readFeed({ ...home, index }, 0, 1_000)));
    const handled = feeds.flat().map(({ fields }) => Number(fields[1]));
    expect(handled.sort((a, b) => a - b)).toEqual(Array.from({ length: 600 }, (_, n) => n));
    expect([...(await site.deadLetters(0)), ...(await site.deadLetters(1))]).toEqual([]);
  });
});

describe('a Redis that hangs', () => {
  it('keeps no command waiting for longer than its deadline, and writes no commit twice afterwards', async () => {
    const server = await serverProcess((port) => ({ port }));
    const url = `redis://127.0.0.1:${server.port}`;
    await eventually(async () => expect(await admin(url).ping()).toBe('PONG'));
    const store = await RedisPartitionStore.connect({
      ...{ url, namespace: freshNamespace(), deadlineMs: 300, patienceMs: 300 },
    });
    onTestFinished(() => store.close());
    const once = (event: string) =>
      store.commit({
        partition: home,
        guards: [{ kind: 'command', id: event, result: '', ttlMs: 60_000 }],
        writes: [append(event)],
      });
    await once('before');
    const inbox = { partition: home, log: 'in' } as const;
    const commands: Record<string, () => Promise<unknown>> = {
      'a commit': () => once('meanwhile'),
      'one that must not be repeated': () => store.commit({ partition: home, guards: [], writes: [append('maybe')] }),
      'an acknowledgement': () => store.acknowledge([{ source: inbox, group: 'work', epoch: 1, ids: ['1-1'] }]),
      'a lease': () => store.acquireLease({ partition: home, group: 'work', owner: 'me', ttlMs: 1_000 }),
      'a group': () => store.createGroup(inbox, 'work'),
      'the head': () => store.head(home),
      'a state': () => store.readState(home, 'a'),
      'a feed': () => store.readFeed(home, 0, 10),
      'what is pending': () => store.readPending(inbox, 'work', '0', 10),
      'due timers': () => store.dueTimers([home], Date.now(), 10),
      'dead letters': () => store.readDeadLetters(home, 10),
      figures: () => store.survey(home),
    };
    server.signal('SIGSTOP');
    const began = performance.now();
    const answers = await Promise.all(Object.values(commands).map((ask) => ask().then(() => 'answered', nameOf)));
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(Object.keys(commands).filter((_, i) => answers[i] === 'answered')).toEqual([]);
    expect(answers[1]).toBe('UnknownOutcomeError');
    server.signal('SIGCONT');
    await eventually(async () => expect(await once('meanwhile')).toMatchObject({ status: 'refused' }));
    const events = (await store.readFeed(home, 0, 10)).map(({ fields }) => fields[1]);
    expect(events.filter((event) => event !== 'maybe').sort()).toEqual(['before', 'meanwhile']);
    expect(events.filter((event) => event === 'maybe').length).toBeLessThanOrEqual(1);
  });

  it('while a lost group is made anew keeps no reader waiting: it reads on another connection', async () => {
    const proxy = await TcpProxy.open(redisUrl());
    const site = await redisSite({ url: proxy.url });
    await site.say('work.do', { n: 1 });
    const reader = site.store.openReader();
    onTestFinished(() => reader.close());
    const read = () => reader.readGroup('work', [site.inbox()], 10, 100);
    const silent = proxy.silence('EVALSHA');
    const reading = read();
    reading.catch(() => undefined);
    await silent;
    await expect(reading).rejects.toThrow(StoreUnavailableError);
    await expect(reading).rejects.toThrow(/^Redis did not answer the making of a group within \d+ ms$/);
    await eventually(async () => expect(await read()).toHaveLength(1));
  });

  const nameOf = (error: Error): string => error.constructor.name;
});

describe('a Redis that is full', () => {
  it('refuses commits as a whole until there is room, and then takes them', async () => {
    const redis = await privateRedis();
    const control = admin(redis.url);
    const impatient = await redisSite({ url: redis.url, patienceMs: 200 });
    const patient = await redisSite({ url: redis.url, namespace: impatient.namespace });
    await impatient.write(['type', 'work.do', 'data', '{}']);
    const { store } = impatient;
    await store.createGroup(impatient.inbox(), 'work');
    const reader = store.openReader();
    onTestFinished(() => reader.close());
    const [entry] = await reader.readGroup('work', [impatient.inbox()], 1, 0);
    const commit = {
      partition: home,
      guards: [{ kind: 'input', entry: entry!, group: 'work' }],
      writes: [append('event'), { kind: 'emit', to: { context: 'other', index: 0 }, message: '{}' }],
    } as const;
    await control.config('SET', 'maxmemory', '1');

    await expect(store.commit(commit)).rejects.toThrow(StoreUnavailableError);
    await expect(store.commit(commit)).rejects.toThrow(/^Redis refuses writes: OOM/);
    expect(await store.backlog(impatient.inbox(), 'work')).toEqual({ pending: 1, waiting: 0 });
    expect(await store.head(home)).toBe(0);

    const waiting = patient.store.commit(commit);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await control.config('SET', 'maxmemory', '0');
    expect(await waiting).toMatchObject({ status: 'committed', appended: [{ position: 1, version: 1 }] });
    expect(await store.backlog(impatient.inbox(), 'work')).toEqual({ pending: 0, waiting: 0 });
  });
});

describe('a service that cannot start', () => {
  const failing = (url: string) => RedisPartitionStore.connect({ url, namespace: freshNamespace() });

  it('says in a sentence that there is no Redis', async () => {
    const refused = failing('redis://127.0.0.1:1');
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    await expect(refused).rejects.toThrow(
      /^no Redis answers at redis:\/\/127\.0\.0\.1:1: start one \(redis-server\), or set the URL of yours$/,
    );
  });

  it('says in a sentence that the password is missing or wrong, and does not repeat it', async () => {
    const redis = await privateRedis();
    await admin(redis.url).config('SET', 'requirepass', 'secret');
    const place = new URL(redis.url).host;
    await expect(failing(redis.url)).rejects.toThrow(`Redis at redis://${place} refuses the credentials (NOAUTH)`);
    const wrong = failing(`redis://:guess@${place}`);
    await expect(wrong).rejects.toThrow(`Redis at redis://***@${place} refuses the credentials (WRONGPASS)`);
    await expect(wrong).rejects.not.toThrow('guess');
    const store = await failing(`redis://:secret@${place}`);
    await store.close();
  });

  it('says that its context has another number of partitions', async () => {
    const namespace = freshNamespace();
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
    onTestFinished(() => store.close());
    await new Broker(store, { context: 'work', partitions: 2 }).declare();
    const other = new Broker(store, { context: 'work', partitions: 3 }).declare();
    await expect(other).rejects.toThrow(ConfigurationError);
    await expect(other).rejects.toThrow(
      `context 'work' was created with 2 partitions, service 'work' declares 3: the number is fixed by whichever service uses the context first; declare 2`,
    );
  });
});

describe('what a store says about its Redis', () => {
  it('names the dangers with the way out, and nothing when there is none', async () => {
    const redis = await privateRedis();
    const site = await redisSite({ url: redis.url });
    const control = admin(redis.url);
    expect(await site.store.inspect()).toEqual({
      server: `${redis.product} ${redis.version}`,
      version: redis.version,
      warnings: [],
    });
    await control.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await control.config('SET', 'appendonly', 'no');
    expect((await site.store.inspect()).warnings).toEqual([
      expect.stringMatching(/may evict .*allkeys-lru.*set 'maxmemory-policy noeviction'/),
      expect.stringMatching(/no append-only file.*set 'appendonly yes'/),
    ]);
  });
});
