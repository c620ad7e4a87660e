import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { RedisStreamsContext } from '@millrace/broker';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/redis.js';
import { sdk } from '../support/sdk.js';
import { connected, serve, streamsSite } from './transports.js';

let active: (string | undefined)[] = [];
let traced: unknown[] = [];

beforeEach(() => {
  active = [];
  traced = [];
});

@Controller()
class Billing {
  @MessagePattern({ cmd: 'tax' })
  tax(@Payload() total: number, @Ctx() context: RedisStreamsContext): number {
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    traced.push(context.getMessage().traceparent);
    return total / 10;
  }

  @EventPattern('order.placed')
  async thank(@Payload() order: string): Promise<void> {
    await Promise.resolve();
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    if (order === 'broken') throw new RangeError('no such order');
  }
}

/** What the service has to itself, or shares. */
const watched = (more: { readonly unknownRequests?: 'skip' } = {}) =>
  streamsSite(
    { telemetry: true, partitions: 1, retry: { attempts: 2, delayMs: 1 }, ...more },
    { telemetry: true, partitions: 1 },
  );

describe('telemetry of the Nest transport', () => {
  it.each(['event', 'request'] as const)('is one trace from the caller to the handler of an %s', async (kind) => {
    const { named, spans } = sdk();
    const site = watched();
    await serve(site.options, [Billing]);
    const client = await connected(site);
    const type = kind === 'event' ? 'order.placed' : '{"cmd":"tax"}';
    await trace.getTracer('http').startActiveSpan('POST /orders', async (request) => {
      if (kind === 'event') await lastValueFrom(client.emit('order.placed', 'o-1'), { defaultValue: undefined });
      else expect(await firstValueFrom(client.send({ cmd: 'tax' }, 70))).toBe(7);
      request.end();
    });
    await eventually(() => expect(named(`process ${type}`)).toHaveLength(1));
    const chain = ['POST /orders', `${kind === 'event' ? 'publish' : 'send'} ${type}`, `process ${type}`];
    const found = chain.map((name) => named(name)[0]!);
    const ids = found.map((span) => span.spanContext().spanId);
    expect(found.map((span) => span.parentSpanContext?.spanId)).toEqual([undefined, ids[0], ids[1]]);
    expect(new Set(spans().map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(found.slice(1).map((span) => span.kind)).toEqual([SpanKind.PRODUCER, SpanKind.CONSUMER]);
    expect(active).toEqual([ids[2]]);
    expect(found[2]!.attributes).toMatchObject({
      'messaging.destination.name': type,
      'messaging.consumer.group.name': kind === 'event' ? 'nest.service' : 'nest.service:requests',
      'millrace.handler': kind === 'event' ? "events 'order.placed'" : `requests '${type}'`,
    });
  });

  it('counts what fails, and tells of its dead letter', async () => {
    const { named, values } = sdk();
    const site = watched();
    await serve(site.options, [Billing]);
    await lastValueFrom((await connected(site)).emit('order.placed', 'broken'), { defaultValue: undefined });
    await eventually(async () =>
      expect(await values('millrace.dead_letters')).toMatchObject([
        { value: 1, attributes: { 'messaging.destination.name': 'order.placed' } },
      ]),
    );
    const failures = named('process order.placed');
    expect(failures.map(({ status, attributes }) => [status.code, attributes['millrace.attempt']])).toEqual([
      [SpanStatusCode.ERROR, 1],
      [SpanStatusCode.ERROR, 2],
    ]);
  });

  it('has no span for a request that is left to another service of the bus', async () => {
    const { spans, named } = sdk();
    const site = watched({ unknownRequests: 'skip' });
    await serve(site.options, [Billing]);
    const client = await connected(site);
    client.send('of-another', 1).subscribe({ error: () => undefined });
    expect(await firstValueFrom(client.send({ cmd: 'tax' }, 70))).toBe(7);
    await eventually(() => expect(named('send of-another')).toHaveLength(1));
    expect(spans().map(({ name }) => name)).not.toContain('process of-another');
  });

  it('is off unless it is wanted: no span, and nothing on the wire', async () => {
    const { spans } = sdk();
    const site = streamsSite();
    await serve(site.options, [Billing]);
    const client = await connected(site);
    await trace.getTracer('http').startActiveSpan('GET /tax', async (request) => {
      await firstValueFrom(client.send({ cmd: 'tax' }, 70));
      request.end();
    });
    expect(traced).toEqual([undefined]);
    expect(spans().map(({ name }) => name)).toEqual(['GET /tax']);
  });
});
