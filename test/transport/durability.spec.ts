import { jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  Broker,
  NonRetryableError,
  RedisPartitionStore,
  RedisStreamsClient,
  RedisStreamsContext,
  RedisStreamsExceptionFilter,
  RedisStreamsRecordBuilder,
  RequestTimeoutError,
  RetryableError,
  UnknownOutcomeError,
} from '@millrace/broker';
import type { DeadLetter } from '@millrace/broker';
import { firstValueFrom, interval, lastValueFrom, of, take, throwError, toArray } from 'rxjs';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate } from '../support/site.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connected, serve, streamsSite } from './transports.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test sends
type Behaviour = (data: any, context: RedisStreamsContext) => unknown;

/** A service with an event handler and a message handler that behave as a test wants. */
function deskThat({ event, message }: { event?: Behaviour; message?: Behaviour }): Type {
  @Controller()
  class Desk {
    @EventPattern<string>('happened')
    happened(@Payload() data: unknown, @Ctx() context: RedisStreamsContext): unknown {
      return event?.(data, context);
    }

    @MessagePattern('ask')
    ask(@Payload() data: unknown, @Ctx() context: RedisStreamsContext): unknown {
      return message?.(data, context);
    }
  }
  return Desk;
}

async function deadLetters(namespace: string): Promise<readonly DeadLetter[]> {
  const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
  const broker = new Broker(store, { context: 'nest' });
  const letters = await Promise.all(
    Array.from({ length: broker.partitions }, (_, index) => store.readDeadLetters({ context: 'nest', index }, 100)),
  );
  await store.close();
  return letters.flat();
}

describe('an event', () => {
  it('is kept for a service that is down, even before its first start', async () => {
    const site = streamsSite();
    const client = await connected(site);
    for (const n of [1, 2, 3]) await lastValueFrom(client.emit('happened', n), { defaultValue: undefined });
    const seen: number[] = [];
    const desk = deskThat({ event: (n) => void seen.push(n) });
    const app = await serve({ strategy: site.server() }, [desk]);
    await eventually(() => expect([...seen].sort()).toEqual([1, 2, 3]));
    await app.close();
    await lastValueFrom(client.emit('happened', 4), { defaultValue: undefined });
    await serve({ strategy: site.server() }, [desk]);
    await eventually(() => expect([...seen].sort()).toEqual([1, 2, 3, 4]));
  });

  it('reaches every service, and of each one replica', async () => {
    const site = streamsSite({ unknownRequests: 'skip' });
    const seen: string[] = [];
    for (const group of ['billing', 'billing', 'shipping']) {
      await serve({ strategy: site.server({ group }) }, [deskThat({ event: (n) => void seen.push(`${group} ${n}`) })]);
    }
    const client = await connected(site);
    for (let n = 0; n < 10; n++) client.emit('happened', n);
    await eventually(() => expect(seen).toHaveLength(20));
    expect(new Set(seen).size).toBe(20);
  });

  it('comes again when its handler throws, rejects or gives an Observable that fails', async () => {
    const site = streamsSite();
    const attempts: number[] = [];
    const event: Behaviour = (_data, context) => {
      attempts.push(context.getAttempt());
      if (attempts.length === 1) throw new Error('thrown');
      if (attempts.length === 2) return Promise.reject(new Error('rejected'));
      if (attempts.length === 3) return throwError(() => new Error('emitted'));
      return of(1);
    };
    await serve({ strategy: site.server() }, [deskThat({ event })]);
    (await connected(site)).emit('happened', 1);
    await eventually(() => expect(attempts).toEqual([1, 2, 3, 4]));
    expect(await deadLetters(site.namespace)).toEqual([]);
  });

  it('is dead-lettered when no attempt succeeds, with what was wrong when the filter is there', async () => {
    const site = streamsSite({ retry: { attempts: 2, delayMs: 1 } });
    const event: Behaviour = () => {
      throw new Error('mail server is away');
    };
    await serve({ strategy: site.server() }, [deskThat({ event })], (app) =>
      app.useGlobalFilters(new RedisStreamsExceptionFilter()),
    );
    (await connected(site)).emit('happened', 1);
    await eventually(async () =>
      expect(await deadLetters(site.namespace)).toMatchObject([
        { reason: 'handler-failed', error: 'mail server is away', attempts: 2, group: 'nest.service' },
      ]),
    );
  });

  it('is dead-lettered at once when its handler knows that it never succeeds', async () => {
    const site = streamsSite();
    const event: Behaviour = () => {
      throw new NonRetryableError('no such order');
    };
    await serve({ strategy: site.server() }, [deskThat({ event })], (app) =>
      app.useGlobalFilters(new RedisStreamsExceptionFilter()),
    );
    (await connected(site)).emit('happened', 1);
    await eventually(async () =>
      expect(await deadLetters(site.namespace)).toMatchObject([{ reason: 'non-retryable', attempts: 1 }]),
    );
  });

  it('is acknowledged only when its handler is done: a stopped service handles it again', async () => {
    const site = streamsSite();
    const begun = gate();
    const first = deskThat({
      event: () => {
        begun.open();
        return new Promise(() => undefined);
      },
    });
    const app = await serve({ strategy: site.server({ drainMs: 50 }) }, [first]);
    (await connected(site)).emit('happened', 'work');
    await begun.passed;
    await app.close();
    const seen: string[] = [];
    await serve({ strategy: site.server() }, [deskThat({ event: (data) => void seen.push(data) })]);
    await eventually(() => expect(seen).toEqual(['work']));
  });

  it('is handled in order with the others of its key', async () => {
    const site = streamsSite();
    const seen: number[] = [];
    const event: Behaviour = async (n: number) => {
      await new Promise((resolve) => setTimeout(resolve, n % 2 === 0 ? 5 : 0));
      seen.push(n);
    };
    await serve({ strategy: site.server() }, [deskThat({ event })]);
    const client = await connected(site);
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    for (const n of numbers) {
      const record = new RedisStreamsRecordBuilder(n).setKey('order-1').build();
      await lastValueFrom(client.emit('happened', record), { defaultValue: undefined });
    }
    await eventually(() => expect(seen).toHaveLength(20));
    expect(seen).toEqual(numbers);
  });

  it('with an id of its own is emitted once', async () => {
    const site = streamsSite();
    const seen: [string, unknown][] = [];
    const event: Behaviour = (data, context) => void seen.push([data, context.getMetadata()]);
    await serve({ strategy: site.server() }, [deskThat({ event })]);
    const client = await connected(site);
    const paid = new RedisStreamsRecordBuilder('paid').setId('payment-7').setMetadata({ trace: 'abc' }).build();
    for (const record of [paid, paid, 'last']) {
      await lastValueFrom(client.emit('happened', record), { defaultValue: undefined });
    }
    await eventually(() => expect(seen.map(([data]) => data)).toContain('last'));
    expect(seen.filter(([data]) => data === 'paid')).toEqual([['paid', { trace: 'abc' }]]);
  });
});

describe('an event whose confirmation is lost', () => {
  async function behindProxy() {
    const proxy = await TcpProxy.open(redisUrl());
    const site = streamsSite();
    const client = new RedisStreamsClient({ url: proxy.url, namespace: site.namespace });
    onTestFinished(() => client.close());
    await client.connect();
    const logged: unknown[] = [];
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void logged.push(line));
    onTestFinished(() => Promise.resolve(error.mockRestore()));
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace: site.namespace });
    onTestFinished(() => store.close());
    const stored = async () => {
      const feeds = [0, 1, 2, 3].map((index) => store.readFeed({ context: 'nest', index }, 0, 100));
      return (await Promise.all(feeds)).flat().length;
    };
    return { proxy, client, logged, stored };
  }

  it('is stored once and emitted when it has an id', async () => {
    const { proxy, client, logged, stored } = await behindProxy();
    const lost = proxy.loseReplyTo('happened');
    const record = new RedisStreamsRecordBuilder('paid').setId('payment-7').build();
    await lastValueFrom(client.emit('happened', record), { defaultValue: undefined });
    await lost;
    expect(await stored()).toBe(1);
    expect(logged).toEqual([]);
  });

  it('fails and is not repeated without one, and the log says so when nobody is subscribed', async () => {
    const { proxy, client, logged, stored } = await behindProxy();
    const lost = proxy.loseReplyTo('happened', 2);
    await expect(lastValueFrom(client.emit('happened', 1))).rejects.toThrow(UnknownOutcomeError);
    client.emit({ happened: 'hot' }, 2);
    await lost;
    await eventually(() =>
      expect(logged).toEqual([
        expect.stringMatching(
          /^event 'happened' may have been stored: .*give such events an id, RedisStreamsRecordBuilder/,
        ),
        expect.stringContaining('event {"happened":"hot"} may have been stored'),
      ]),
    );
    expect(await stored()).toBe(2);
  });

  it('is said not to be stored where no Redis answers', async () => {
    const { logged } = await behindProxy();
    const client = new RedisStreamsClient({ url: 'redis://127.0.0.1:1' });
    onTestFinished(() => client.close());
    client.emit('happened', 1);
    await eventually(() =>
      expect(logged).toEqual([expect.stringMatching(/^event 'happened' has not been stored: .*emit it/)]),
    );
  });
});

describe('a request', () => {
  it('waits for a service that is down', async () => {
    const site = streamsSite();
    const client = await connected(site);
    const answer = firstValueFrom(client.send('ask', 21));
    await serve({ strategy: site.server() }, [deskThat({ message: (n) => n * 2 })]);
    expect(await answer).toBe(42);
  });

  it('is not repeated when its handler throws, but when that says so', async () => {
    const site = streamsSite();
    const attempts: string[] = [];
    const message: Behaviour = (what: string, context) => {
      attempts.push(`${what} ${context.getAttempt()}`);
      if (what === 'plain') throw new Error('broken');
      if (context.getAttempt() === 1) throw new RetryableError('not yet');
      return 'done';
    };
    await serve({ strategy: site.server() }, [deskThat({ message })], (app) =>
      app.useGlobalFilters(new RedisStreamsExceptionFilter()),
    );
    const client = await connected(site);
    await expect(firstValueFrom(client.send('ask', 'plain'))).rejects.toEqual({
      status: 'error',
      message: 'Internal server error',
    });
    expect(await firstValueFrom(client.send('ask', 'retryable'))).toBe('done');
    expect(attempts).toEqual(['plain 1', 'retryable 1', 'retryable 2']);
  });

  it('that is given up after its attempts fails at its client, too', async () => {
    const site = streamsSite({ retry: { attempts: 2, delayMs: 1 } });
    const message: Behaviour = () => {
      throw new RetryableError('never');
    };
    await serve({ strategy: site.server() }, [deskThat({ message })], (app) =>
      app.useGlobalFilters(new RedisStreamsExceptionFilter()),
    );
    const client = await connected(site);
    await expect(firstValueFrom(client.send('ask', 1))).rejects.toThrow(/ask was given up: never/);
  });

  it('goes to the service of the bus that knows it', async () => {
    const site = streamsSite({ unknownRequests: 'skip' });
    @Controller()
    class Other {
      @MessagePattern('other')
      other(): string {
        return 'from the other one';
      }
    }
    await serve({ strategy: site.server({ group: 'billing' }) }, [deskThat({ message: () => 'from billing' })]);
    await serve({ strategy: site.server({ group: 'shipping' }) }, [Other]);
    const client = await connected(site);
    expect(await firstValueFrom(client.send('ask', 1))).toBe('from billing');
    expect(await firstValueFrom(client.send('other', 1))).toBe('from the other one');
    expect(await deadLetters(site.namespace)).toEqual([]);
  });

  it('ends after timeoutMs, and is not begun later', async () => {
    const site = streamsSite({}, { timeoutMs: 50 });
    const client = await connected(site);
    await expect(firstValueFrom(client.send('ask', 'late'))).rejects.toThrow(RequestTimeoutError);
    const seen: string[] = [];
    await serve({ strategy: site.server() }, [deskThat({ message: (data) => seen.push(data) })]);
    await eventually(async () => expect(await firstValueFrom(client.send('ask', 'in time'))).toBeGreaterThan(0));
    expect(seen).not.toContain('late');
  });

  it('misses no answer when the connections of its client break', async () => {
    const proxy = await TcpProxy.open(redisUrl());
    const site = streamsSite();
    const client = new RedisStreamsClient({ url: proxy.url, namespace: site.namespace });
    const statuses: string[] = [];
    client.status.subscribe((status) => statuses.push(status));
    onTestFinished(() => client.close());
    const begun = gate();
    const answer = gate();
    const message: Behaviour = async (n) => {
      begun.open();
      await answer.passed;
      return of(n, n + 1, n + 2);
    };
    await serve({ strategy: site.server() }, [deskThat({ message })]);
    const values = lastValueFrom(client.send<number>('ask', 1).pipe(toArray()));
    await begun.passed;
    proxy.away();
    answer.open();
    await eventually(() => expect(statuses).toContain('reconnecting'));
    proxy.back();
    expect(await values).toEqual([1, 2, 3]);
    await eventually(() => expect(statuses.at(-1)).toBe('connected'));
  });

  it('with several answers goes on in another replica when its server stops, without repetitions', async () => {
    const site = streamsSite();
    const reached = gate();
    const endless: Behaviour = () => {
      const values = interval(20);
      values.pipe(take(6)).subscribe((n) => n === 5 && reached.open());
      return values;
    };
    const app = await serve({ strategy: site.server() }, [deskThat({ message: endless })]);
    const client = await connected(site);
    const values = lastValueFrom(client.send<number>('ask', 1).pipe(toArray()));
    await reached.passed;
    await app.close();
    // More than the first could send until it had stopped.
    const finite = Array.from({ length: 500 }, (_, n) => n);
    await serve({ strategy: site.server() }, [deskThat({ message: () => of(...finite) })]);
    expect(await values).toEqual(finite);
  });

  it('fails when its client is closed, and leaves nothing behind', async () => {
    const site = streamsSite();
    const client = site.client();
    const begun = gate();
    const answer = gate();
    let replyto = '';
    const message: Behaviour = async (_data, context) => {
      replyto = context.getMessage().replyto!;
      begun.open();
      await answer.passed;
    };
    await serve({ strategy: site.server() }, [deskThat({ message })]);
    const answered = firstValueFrom(client.send('ask', 1));
    answered.catch(() => undefined);
    await begun.passed;
    await client.close();
    await expect(answered).rejects.toThrow();
    answer.open();
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace: site.namespace });
    onTestFinished(() => store.close());
    const [partition, instance] = replyto.split('#') as [string, string];
    const place = { partition: { context: 'nest', index: Number(partition.split('/')[1]) }, instance };
    expect(await store.sendReply(place, 'x')).toBe(false);
  });
});
