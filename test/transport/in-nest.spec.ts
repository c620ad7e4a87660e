import { Controller, Get, Injectable, Module, Scope } from '@nestjs/common';
import type { CanActivate, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  ConfigurationError,
  InMemoryPartitionStore,
  REDIS_STREAMS,
  RedisStreamsClient,
  RedisStreamsServer,
  StoreUnavailableError,
} from '@millrace/broker';
import { Redis } from 'ioredis';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { connected, serve, streamsSite } from './transports.js';

@Controller()
class Echo {
  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    return data;
  }
}

describe('a server of Redis Streams', () => {
  it('gives its client of Redis, and passes on its events', async () => {
    const { options } = streamsSite();
    const { strategy } = options as { strategy: RedisStreamsServer };
    const events: string[] = [];
    expect(() => strategy.unwrap()).toThrow(/Not initialized/);
    strategy.on('reconnecting', () => events.push('reconnecting'));
    strategy.on('close', () => events.push('close'));
    const app = await serve(options, [Echo]);
    const client = app.unwrap<Redis>();
    expect(await client.ping()).toBe('PONG');
    client.disconnect(true);
    await eventually(() => expect(events).toEqual(expect.arrayContaining(['close', 'reconnecting'])));
  });

  it('tells its status', async () => {
    const site = streamsSite();
    const statuses: string[] = [];
    const app = await serve(
      site.options,
      [Echo],
      (each) => void each.status.subscribe((status) => statuses.push(status)),
    );
    expect(statuses).toEqual(['connected']);
    app.unwrap<Redis>().disconnect(true);
    await eventually(() => expect(statuses).toEqual(['connected', 'reconnecting', 'connected']));
  });

  it('calls the processing hooks around each message, until its handler is done', async () => {
    const site = streamsSite();
    const server = site.server();
    const calls: unknown[] = [];
    server.setOnProcessingStartHook((transport, _context, done) => {
      calls.push(['start', transport]);
      void done();
    });
    server.setOnProcessingEndHook((transport) => calls.push(['end', transport]));
    @Controller()
    class Slow {
      @MessagePattern('slow')
      async slow(): Promise<string> {
        await new Promise((resolve) => setTimeout(resolve, 10));
        calls.push('handled');
        return 'done';
      }
    }
    await serve({ strategy: server }, [Slow]);
    const client = await connected(site);
    await firstValueFrom(client.send('slow', 1));
    await eventually(() => expect(calls).toEqual([['start', REDIS_STREAMS], 'handled', ['end', REDIS_STREAMS]]));
  });

  it('does not start where no Redis is, and says so', async () => {
    const server = new RedisStreamsServer({ group: 'g', url: 'redis://127.0.0.1:1' });
    await expect(serve({ strategy: server }, [Echo])).rejects.toThrow(StoreUnavailableError);
  });

  it('refuses two event handlers of one pattern, but with groups of their own runs both', async () => {
    const site = streamsSite();
    const seen: string[] = [];
    const handlers = (extras: { group?: string }): Type[] => {
      @Controller()
      class Stock {
        @EventPattern<string>('happened')
        happened(): void {
          seen.push('stock');
        }
      }
      let failures = 1;
      @Controller()
      class Mail {
        @EventPattern<string>('happened', extras)
        happened(): void {
          seen.push('mail');
          if (failures-- > 0) throw new Error('not yet');
        }
      }
      return [Stock, Mail];
    };
    const refused = serve({ strategy: site.server() }, handlers({}));
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(
      /two event handlers of pattern 'happened'.*@EventPattern\('happened', \{ group/,
    );
    await serve({ strategy: site.server() }, handlers({ group: 'mail' }));
    (await connected(site)).emit('happened', 1);
    await eventually(() => expect([...seen].sort()).toEqual(['mail', 'mail', 'stock']));
  });

  it('refuses a wildcard when it starts, and says what to write', async () => {
    @Controller()
    class Wild {
      @EventPattern<string>('order.*')
      any(): void {}
    }
    const starting = serve({ strategy: streamsSite().server() }, [Wild]);
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow(
      "pattern 'order.*' is a wildcard, which this transport does not have: it would match no event but 'order.*'; list the " +
        "patterns, @EventPattern(['order.placed', 'order.paid'])",
    );
  });

  it('makes handlers of request scope anew for each message', async () => {
    const site = streamsSite();
    let made = 0;
    @Controller({ scope: Scope.REQUEST } as never)
    class Scoped {
      private readonly n = ++made;

      @MessagePattern('which')
      which(): number {
        return this.n;
      }
    }
    await serve(site.options, [Scoped]);
    const client = await connected(site);
    expect(await firstValueFrom(client.send('which', 0))).toBe(1);
    expect(await firstValueFrom(client.send('which', 0))).toBe(2);
  });

  it('runs in memory where it is given a store', async () => {
    const store = new InMemoryPartitionStore();
    const client = new RedisStreamsClient({ store });
    onTestFinished(() => client.close());
    await serve({ strategy: new RedisStreamsServer({ group: 'g', store, blockMs: 20 }) }, [Echo]);
    expect(await firstValueFrom(client.send('echo', 'x'))).toBe('x');
    expect(client.unwrap()).toBe(store);
  });

  it('understands a message written by hand', async () => {
    const site = streamsSite();
    const seen: unknown[] = [];
    @Controller()
    class Desk {
      @EventPattern<string>('happened')
      happened(@Payload() data: unknown): void {
        seen.push(data);
      }
    }
    await serve(site.options, [Desk]);
    const redis = new Redis(redisUrl());
    onTestFinished(async () => redis.disconnect());
    await redis.xadd(`{${site.namespace}:nest:0}:feed`, '0-*', 'type', 'happened', 'data', '{"n":1}');
    await eventually(() => expect(seen).toEqual([{ n: 1 }]));
  });
});

describe('a hybrid application', () => {
  it.each([true, false])(
    'applies its global guard when it inherits the configuration: %s',
    async (inheritAppConfig) => {
      const site = streamsSite();
      const guarded: string[] = [];
      @Injectable()
      class Guard implements CanActivate {
        canActivate(context: { getType(): string }): boolean {
          guarded.push(context.getType());
          return true;
        }
      }
      @Controller()
      class Both {
        @Get('page')
        page(): string {
          return 'page';
        }

        @MessagePattern('ask')
        ask(): string {
          return 'answer';
        }
      }
      @Module({ controllers: [Both] })
      class App {}
      const app = await NestFactory.create(App, { logger: false });
      app.useGlobalGuards(new Guard());
      app.connectMicroservice({ strategy: site.server() }, { inheritAppConfig });
      onTestFinished(() => app.close());
      await app.startAllMicroservices();
      await app.listen(0, '127.0.0.1');
      const page = await fetch(`${await app.getUrl()}/page`);
      expect(await page.text()).toBe('page');
      expect(await firstValueFrom((await connected(site)).send('ask', 1))).toBe('answer');
      expect(guarded).toEqual(inheritAppConfig ? ['http', 'rpc'] : ['http']);
    },
  );

  it('finishes what is being handled before the hooks that close what handlers use', async () => {
    const site = streamsSite();
    const calls: string[] = [];
    @Injectable()
    class Pool {
      onApplicationShutdown(): void {
        calls.push('pool closed');
      }
    }
    @Controller()
    class Worker {
      @EventPattern<string>('happened')
      async happened(): Promise<void> {
        calls.push('begun');
        await new Promise((resolve) => setTimeout(resolve, 50));
        calls.push('done');
      }
    }
    @Module({ controllers: [Worker], providers: [Pool] })
    class App {}
    const app = await NestFactory.create(App, { logger: false });
    app.enableShutdownHooks();
    app.connectMicroservice({ strategy: site.server() });
    await app.startAllMicroservices();
    await app.init();
    (await connected(site)).emit('happened', 1);
    await eventually(() => expect(calls).toEqual(['begun']));
    await app.close();
    expect(calls).toEqual(['begun', 'done', 'pool closed']);
  });
});

describe('a client of Redis Streams', () => {
  it('is registered with ClientsModule and closed with the application', async () => {
    const namespace = freshNamespace();
    @Injectable()
    class Shop {
      constructor(readonly client: ClientProxy) {}
    }
    const token = 'BILLING';
    @Module({
      imports: [
        ClientsModule.register([
          { name: token, customClass: RedisStreamsClient, options: { url: redisUrl(), namespace } },
        ]),
      ],
      providers: [{ provide: Shop, inject: [token], useFactory: (client: ClientProxy) => new Shop(client) }],
    })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    const { client } = app.get(Shop);
    await lastValueFrom(client.emit('happened', 1), { defaultValue: undefined });
    const redis = client.unwrap<Redis>();
    await app.close();
    await eventually(() => expect(redis.status).toBe('end'));
  });

  it('tries again after a connection that could not be made', async () => {
    const client = new RedisStreamsClient({ url: 'redis://127.0.0.1:1' });
    await expect(lastValueFrom(client.emit('happened', 1))).rejects.toThrow(StoreUnavailableError);
    await expect(client.connect()).rejects.toThrow(StoreUnavailableError);
    await client.close();
  });

  it('refuses a pattern without a name', async () => {
    const site = streamsSite();
    const client = await connected(site);
    await expect(firstValueFrom(client.send('', 1))).rejects.toThrow(ConfigurationError);
    await expect(lastValueFrom(client.emit('', 1))).rejects.toThrow(ConfigurationError);
  });
});
