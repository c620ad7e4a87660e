import { Broker, RedisPartitionStore, RequestFailedError, Requester, RequestTimeoutError } from '@millrace/broker';
import type { HandlerDeclaration, RequesterSettings } from '@millrace/broker';
import { Redis } from 'ioredis';
import { Add, Added, TooLarge } from '../support/desk.js';
import { programOf } from '../support/program-of.js';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate, redisSite, SITES } from '../support/site.js';
import type { Site, SiteOptions } from '../support/site.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { Worker } from '../support/worker.js';

const STREAMING_CLIENT = programOf('streaming-client-process');

type Handler = HandlerDeclaration['handle'];

/** A client of the site, in a context of its own. */
function client(site: Pick<Site, 'store' | 'partitions'>, settings: RequesterSettings = {}): Requester {
  const requester = new Requester(
    new Broker(site.store, { context: 'client', partitions: { client: 2, work: site.partitions } }),
    settings,
  );
  onTestFinished(() => requester.close());
  return requester;
}

function add(handle: Handler): { readonly 'work.add': Handler } {
  return { 'work.add': handle };
}

describe.each(SITES)('a request on %s', (_name, open: (options?: SiteOptions) => Promise<Site>) => {
  it('is answered with an instance of its reply', async () => {
    const site = await open({ partitions: 4 });
    await site.start(add(({ a, b }: Add) => new Added(a + b)));
    const requester = client(site);

    const replies = await Promise.all([1, 2, 3, 4, 5].map((n) => requester.request(new Add(n, n))));

    expect(replies).toEqual([2, 4, 6, 8, 10].map((sum) => new Added(sum)));
    expect(replies.every((reply) => reply instanceof Added)).toBe(true);
  });

  it('takes a failure reply for a reply', async () => {
    const site = await open();
    await site.start(add(() => new TooLarge('no')));

    expect(await client(site).request(new Add(1, 1))).toEqual(new TooLarge('no'));
  });

  it('is handled by a service that comes up later', async () => {
    const site = await open();
    const reply = client(site).request(new Add(1, 2));
    await eventually(async () => expect(await site.open()).toBe(1));
    await site.start(add(({ a, b }: Add) => new Added(a + b)));

    expect(await reply).toEqual(new Added(3));
  });

  it('is given up after its time, naming the command', async () => {
    const site = await open();
    const error = await failure(client(site).request(new Add(1, 2), { timeoutMs: 30 }));

    expect(error).toBeInstanceOf(RequestTimeoutError);
    expect(error).toMatchObject({
      type: 'work.add',
      timeoutMs: 30,
      message: expect.stringMatching(/work\.add \(id .*within 30 ms.*may still be handled/),
    });
    await eventually(async () => expect(await site.open()).toBe(1));
  });

  it('is not begun after its time when it expires', async () => {
    const site = await open();
    const requester = client(site);
    await failure(requester.request(new Add(1, 2), { timeoutMs: 30, expires: true }));
    const begun: Add[] = [];
    await site.start(add((command: Add) => new Added(begun.push(command))));

    await requester.request(new Add(3, 4));

    expect(begun.map(({ a }) => a)).toEqual([3]);
    expect(await site.open()).toBe(0);
  });

  it('ends when its signal says so', async () => {
    const site = await open();
    const abort = new AbortController();
    const reply = client(site).request(new Add(1, 2), { signal: abort.signal });
    await eventually(async () => expect(await site.open()).toBe(1));
    abort.abort(new Error('enough'));

    await expect(reply).rejects.toThrow('enough');
  });

  it('fails when its handler gives it up', async () => {
    const site = await open();
    await site.start(
      add(() => {
        throw new Error('broken');
      }),
      { retry: { attempts: 2, delayMs: 1 } },
    );
    const error = await failure(client(site).request(new Add(1, 2)));

    expect(error).toBeInstanceOf(RequestFailedError);
    expect(error).toMatchObject({
      type: 'work.add',
      reason: 'handler-failed',
      message: expect.stringContaining('broken'),
    });
  });

  it('fails when it is answered with nothing', async () => {
    const site = await open();
    await site.start(add(() => undefined));

    expect(await failure(client(site).request(new Add(1, 2)))).toMatchObject({ reason: 'no-reply' });
  });

  it('fails when its process stops', async () => {
    const site = await open();
    const requester = client(site);
    const reply = requester.request(new Add(1, 2));
    await eventually(async () => expect(await site.open()).toBe(1));
    void requester.close();

    await expect(reply).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(requester.request(new Add(1, 2))).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('leaves nothing behind for a client that is gone', async () => {
    const site = await open();
    const asked = gate();
    const answer = gate();
    let replyto = '';
    await site.start(
      add(async ({ a }: Add, { envelope }) => {
        replyto = envelope.replyto!;
        asked.open();
        await answer.passed;
        return new Added(a);
      }),
    );
    const requester = client(site);
    const reply = requester.request(new Add(1, 2));
    reply.catch(() => undefined);
    await asked.passed;
    await requester.close();
    answer.open();
    await eventually(async () => expect(await site.open()).toBe(0));

    const [partition, instance] = replyto.split('#') as [string, string];
    const place = { partition: { context: 'client', index: Number(partition.split('/')[1]) }, instance };
    expect(await site.store.sendReply(place, 'x')).toBe(false);
  });
});

describe.each(SITES)('a request for several replies on %s', (_name, open: (options?: SiteOptions) => Promise<Site>) => {
  async function* counting(upTo: number): AsyncGenerator<Added> {
    for (let sum = 1; sum <= upTo; sum++) yield new Added(sum);
  }

  it('yields them in order until there are no more', async () => {
    const site = await open();
    await site.start(add(({ a }: Add) => counting(a)));

    expect(await sums(client(site).stream(new Add(5, 0)))).toEqual([1, 2, 3, 4, 5]);
  });

  it('yields the one reply of a handler that gives one', async () => {
    const site = await open();
    await site.start(add(({ a, b }: Add) => new Added(a + b)));

    expect(await sums(client(site).stream(new Add(5, 1)))).toEqual([6]);
  });

  it('yields a reply before the next one is made', async () => {
    const site = await open();
    const more = gate();
    await site.start(
      add(async function* () {
        yield new Added(1);
        await more.passed;
        yield new Added(2);
      }),
    );
    const replies = client(site).stream(new Add(0, 0));
    expect((await replies.next()).value).toEqual(new Added(1));
    more.open();
    expect(await sums(replies)).toEqual([2]);
  });

  it('ignores what a second attempt repeats', async () => {
    const site = await open();
    let attempts = 0;
    await site.start(
      add(async function* () {
        yield* counting(3);
        if (++attempts === 1) throw new Error('broken in the middle');
        yield new Added(4);
      }),
      { retry: { delayMs: 1 } },
    );

    expect(await sums(client(site).stream(new Add(0, 0)))).toEqual([1, 2, 3, 4]);
    expect(attempts).toBe(2);
  });

  it('goes on in another process where the first one stopped', async () => {
    const site = await open();
    const reached = gate();
    const first = await site.start(
      add(async function* () {
        yield* counting(2);
        reached.open();
        await new Promise(() => undefined);
      }),
    );
    const replies = sums(client(site).stream(new Add(0, 0)));
    await reached.passed;
    await first.stop();
    await site.start(add(() => counting(4)));

    expect(await replies).toEqual([1, 2, 3, 4]);
  });

  it('ends the handler when its client is gone', async () => {
    const site = await open();
    const requester = client(site);
    const ended = gate();
    await site.start(
      add(async function* () {
        try {
          for (let sum = 0; ; sum++) yield new Added(sum);
        } finally {
          ended.open();
        }
      }),
    );
    const replies = requester.stream(new Add(0, 0));
    await replies.next();
    await requester.close();
    await ended.passed;
    await eventually(async () => expect(await site.open()).toBe(0));
  });
});

describe('a client that is killed while replies come', () => {
  it('leaves no stream of replies behind, in which few are kept meanwhile, and its handler ends', async () => {
    const site = await redisSite();
    const redis = new Redis(redisUrl());
    onTestFinished(async () => redis.disconnect());
    const ended = gate();
    let sum = 0;
    await site.start(
      add(async function* () {
        try {
          for (;;) yield new Added(++sum);
        } finally {
          ended.open();
        }
      }),
    );
    const process = Worker.start(site, { replyTtlMs: 3_000 } as object, redisUrl(), STREAMING_CLIENT);
    await process.said('replied');
    const streams = () => redis.keys(`*${site.namespace}*:replies*`);
    const [replies] = await streams();
    process.signal('SIGKILL');
    await process.ended;
    let asked = 0;
    let most = 0;
    for (let length = 1; length > 0; asked++) {
      length = await redis.xlen(replies!);
      most = Math.max(most, length);
    }
    await ended.passed;
    expect(await streams()).toEqual([]);
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(most).toBeLessThanOrEqual(2_000);
    expect(asked).toBeGreaterThan(2);
  });
});

describe('a client whose connections break', () => {
  it('misses no reply', async () => {
    const site = await redisSite();
    const proxy = await TcpProxy.open(redisUrl());
    const store = await RedisPartitionStore.connect({ url: proxy.url, namespace: site.namespace });
    onTestFinished(() => store.close());
    const requester = client({ store, partitions: site.partitions });
    const more = gate();
    await site.start(
      add(async function* ({ a }: Add) {
        yield new Added(1);
        await more.passed;
        for (let sum = 2; sum <= a; sum++) yield new Added(sum);
      }),
    );
    const replies = requester.stream(new Add(50, 0));
    await replies.next();
    const single = requester.request(new Add(1, 0));
    proxy.away();
    more.open();
    await eventually(async () => expect(await site.open()).toBe(0));
    proxy.back();

    expect(await sums(replies)).toEqual(Array.from({ length: 49 }, (_, i) => i + 2));
    expect(await single).toEqual(new Added(1));
  });
});

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => Promise.reject(new Error(`did not fail, but gave ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
}

async function sums(replies: AsyncIterable<Added | TooLarge>): Promise<number[]> {
  const found: number[] = [];
  for await (const reply of replies) found.push((reply as Added).sum);
  return found;
}
