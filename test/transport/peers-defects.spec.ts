import { Controller } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { Redis } from 'ioredis';
import { lastValueFrom } from 'rxjs';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { gate } from '../support/site.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { connected, serve, streamsSite } from './transports.js';

function listener(handle: (data: unknown) => unknown, extras: Record<string, string> = {}): Type {
  @Controller()
  class Listener {
    @EventPattern<string>('happened', extras)
    happened(@Payload() data: unknown): unknown {
      return handle(data);
    }
  }
  return Listener;
}

/** What other Redis Streams transports for Nest do wrong. */
describe('unlike other Redis Streams transports, this one', () => {
  it('goes on after an error event of its connection', async () => {
    const site = streamsSite();
    const seen: unknown[] = [];
    const app = await serve(site.options, [listener((data) => seen.push(data))]);
    const client = await connected(site);
    for (const redis of [app.unwrap<Redis>(), client.unwrap<Redis>()]) redis.emit('error', new Error('ECONNRESET'));
    client.emit('happened', 1);
    await eventually(() => expect(seen).toEqual([1]));
  });

  it('goes on after Redis was away', async () => {
    const proxy = await TcpProxy.open(redisUrl());
    const site = streamsSite({ url: proxy.url });
    const seen: unknown[] = [];
    await serve(site.options, [listener((data) => seen.push(data))]);
    const client = await connected(site);
    proxy.away();
    await lastValueFrom(client.emit('happened', 'while it was away'), { defaultValue: undefined });
    proxy.back();
    await eventually(() => expect(seen).toEqual(['while it was away']));
  });

  it('does not miss events from before the first start of a service', async () => {
    const site = streamsSite();
    const client = await connected(site);
    await lastValueFrom(client.emit('happened', 'early'), { defaultValue: undefined });
    const seen: unknown[] = [];
    await serve(site.options, [listener((data) => seen.push(data))]);
    await eventually(() => expect(seen).toEqual(['early']));
  });

  it('has its groups before it says that it listens', async () => {
    const site = streamsSite();
    await serve(site.options, [listener(() => undefined)]);
    const redis = new Redis(redisUrl());
    onTestFinished(async () => redis.disconnect());
    for (const [log, group] of [
      ['feed', 'nest.service'],
      ['in', 'nest.service:requests'],
    ]) {
      const groups = (await redis.xinfo('GROUPS', `{${site.namespace}:nest:3}:${log}`)) as string[][];
      expect(groups.map((each) => each[1])).toContain(group);
    }
  });

  it('does not acknowledge a message whose handler failed', async () => {
    const site = streamsSite(
      { retry: { delayMs: 60_000, maxDelayMs: 60_000, jitter: 0 }, partitions: 1 },
      { partitions: 1 },
    );
    const failed = gate();
    await serve(site.options, [
      listener(() => {
        failed.open();
        throw new Error('not yet');
      }),
    ]);
    (await connected(site)).emit('happened', 1);
    await failed.passed;
    const redis = new Redis(redisUrl());
    onTestFinished(async () => redis.disconnect());
    const pending = (await redis.xpending(`{${site.namespace}:nest:0}:feed`, 'nest.service')) as [number];
    expect(pending[0]).toBe(1);
  });

  it('does not repeat a handler because another one of the same event failed', async () => {
    const site = streamsSite();
    const calls: string[] = [];
    let failures = 2;
    const failing = (): void => {
      calls.push('mail');
      if (failures-- > 0) throw new Error('not yet');
    };
    await serve(site.options, [listener(() => calls.push('stock')), listener(failing, { group: 'mail' })]);
    (await connected(site)).emit('happened', 1);
    await eventually(() => expect(calls.filter((call) => call === 'mail')).toHaveLength(3));
    expect(calls.filter((call) => call === 'stock')).toHaveLength(1);
  });

  it('does not show a retry of one service to the others', async () => {
    const site = streamsSite({ unknownRequests: 'skip' });
    const calls: string[] = [];
    let failures = 2;
    const failing = (): void => {
      calls.push('billing');
      if (failures-- > 0) throw new Error('not yet');
    };
    await serve({ strategy: site.server({ group: 'billing' }) }, [listener(failing)]);
    await serve({ strategy: site.server({ group: 'shipping' }) }, [listener(() => calls.push('shipping'))]);
    (await connected(site)).emit('happened', 1);
    await eventually(() => expect(calls.filter((call) => call === 'billing')).toHaveLength(3));
    expect(calls.filter((call) => call === 'shipping')).toHaveLength(1);
  });
});
