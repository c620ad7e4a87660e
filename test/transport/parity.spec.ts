import { Controller, Injectable, UseInterceptors, UsePipes, ValidationPipe } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ClientProxy, Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { BaseRpcContext } from '@nestjs/microservices';
import { IsInt } from 'class-validator';
import { concat, EMPTY, firstValueFrom, interval, lastValueFrom, map, of, take, throwError, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { eventually } from '../support/redis.js';
import { connected, serve, TRANSPORTS } from './transports.js';
import type { Site } from './transports.js';

class Sum {
  @IsInt() a!: number;
  @IsInt() b!: number;
}

@Injectable()
class Doubling implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<number>): Observable<number> {
    return next.handle().pipe(map((value) => value * 2));
  }
}

let seen: unknown[] = [];

@Controller()
class Desk {
  @MessagePattern('sync')
  sync(@Payload() numbers: number[]): number {
    return numbers.reduce((sum, n) => sum + n, 0);
  }

  @MessagePattern('promise')
  async promise(@Payload() numbers: number[]): Promise<number> {
    return numbers.length;
  }

  @MessagePattern('observable')
  observable(@Payload() value: number): Observable<number> {
    return of(value);
  }

  @MessagePattern('stream')
  stream(@Payload() upTo: number): Observable<number> {
    return interval(1).pipe(take(upTo));
  }

  @MessagePattern('burst')
  burst(@Payload() values: number[]): Observable<number> {
    return of(...values);
  }

  @MessagePattern('observable-in-promise')
  async later(@Payload() values: number[]): Promise<Observable<number>> {
    return of(...values);
  }

  @MessagePattern('nothing')
  nothing(): void {
    return undefined;
  }

  @MessagePattern('null-value')
  null(): null {
    return null;
  }

  @MessagePattern('empty')
  empty(): Observable<never> {
    return EMPTY;
  }

  @MessagePattern('echo')
  echo(@Payload() data: unknown): unknown {
    return data;
  }

  @MessagePattern({ cmd: 'object', area: { name: 'north' } })
  object(@Payload() data: string): string {
    return `object ${data}`;
  }

  @MessagePattern(['first-name', 'second-name'])
  names(@Payload() data: string): string {
    return `names ${data}`;
  }

  @MessagePattern('rpc-text')
  rpcText(): never {
    throw new RpcException('refused');
  }

  @MessagePattern('rpc-object')
  rpcObject(): never {
    throw new RpcException({ code: 7, message: 'refused' });
  }

  @MessagePattern('plain-error')
  plainError(): never {
    throw new Error('secret');
  }

  @MessagePattern('late-error')
  lateError(): Observable<number> {
    return concat(
      of(1, 2),
      throwError(() => new RpcException('broken in the middle')),
    );
  }

  @UsePipes(new ValidationPipe())
  @MessagePattern('validated')
  validated(@Payload() sum: Sum): number {
    return sum.a + sum.b;
  }

  @UsePipes(new ValidationPipe({ exceptionFactory: (errors) => new RpcException(errors.map((e) => e.property)) }))
  @MessagePattern('validated-rpc')
  validatedRpc(@Payload() sum: Sum): number {
    return sum.a + sum.b;
  }

  @UseInterceptors(Doubling)
  @MessagePattern('intercepted')
  intercepted(@Payload() values: number[]): Observable<number> {
    return of(...values);
  }

  @MessagePattern('binary')
  binary(@Payload() data: { bytes: Buffer }): { hex: string; bytes: Buffer } {
    const bytes = Buffer.from(data.bytes);
    return { hex: bytes.toString('hex'), bytes: Buffer.concat([bytes, bytes]) };
  }

  @MessagePattern('metadata')
  metadata(@Ctx() context: BaseRpcContext & { getMetadata(): unknown }): unknown {
    return context.getMetadata() ?? 'none';
  }

  @MessagePattern('slow')
  async slow(@Payload() ms: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ms;
  }

  @EventPattern('happened')
  happened(@Payload() data: unknown): void {
    seen.push(data);
  }

  @EventPattern({ happened: 'object' })
  async happenedObject(@Payload() data: unknown): Promise<void> {
    seen.push({ object: data });
  }

  @EventPattern('happened-observably')
  happenedObservably(@Payload() data: unknown): Observable<unknown> {
    return of(data).pipe(map((value) => seen.push(value)));
  }
}

describe.each(TRANSPORTS)('an application on $name', (transport) => {
  let site: Site;
  let client: ClientProxy;

  const ask = <T>(pattern: unknown, data: unknown): Promise<T> => firstValueFrom(client.send<T>(pattern, data));
  const all = <T>(pattern: unknown, data: unknown): Promise<T[]> =>
    lastValueFrom(client.send<T>(pattern, data).pipe(toArray()));

  beforeEach(async () => {
    seen = [];
    site = await transport.site();
    await serve(site.options, [Desk]);
    client = await connected(site);
  });

  describe('send', () => {
    it('is answered with a value, a promise or an Observable', async () => {
      expect(await ask('sync', [1, 2, 3])).toBe(6);
      expect(await ask('promise', [1, 2, 3])).toBe(3);
      expect(await ask('observable', 5)).toBe(5);
    });

    it('is answered with all values of a stream, in order, and completes', async () => {
      expect(await all('stream', 5)).toEqual([0, 1, 2, 3, 4]);
      expect(await all('burst', [3, 1, 2])).toEqual([3, 1, 2]);
      expect(await all('observable-in-promise', [3, 1, 2])).toEqual([3, 1, 2]);
    });

    it('completes without a value when there is none', async () => {
      expect(await all('nothing', 0)).toEqual([]);
      expect(await all('empty', 0)).toEqual([]);
      expect(await all('null-value', 0)).toEqual([null]);
    });

    it.each([[0], [false], [''], ['text'], [{ a: [1, { b: null }] }], [[]], [{}]])(
      'carries %j there and back',
      async (data) => {
        expect(await ask('echo', data)).toEqual(data);
      },
    );

    it('refuses to carry nothing', async () => {
      await expect(ask('echo', undefined)).rejects.toThrow(/undefined\/null/);
      await expect(ask(null, 1)).rejects.toThrow(/undefined\/null/);
    });

    it('finds handlers of object patterns, whatever the order of their keys', async () => {
      expect(await ask({ area: { name: 'north' }, cmd: 'object' }, 'x')).toBe('object x');
    });

    it('finds a handler by each of its patterns', async () => {
      expect(await ask('first-name', 'x')).toBe('names x');
      expect(await ask('second-name', 'y')).toBe('names y');
    });

    it('is answered with the error of an RpcException', async () => {
      expect(await refusal(all('rpc-text', 0))).toEqual({ status: 'error', message: 'refused' });
      expect(await refusal(all('rpc-object', 0))).toEqual({ code: 7, message: 'refused' });
    });

    it('does not tell what another error was', async () => {
      expect(await refusal(all('plain-error', 0))).toEqual({ status: 'error', message: 'Internal server error' });
    });

    it('gives the values before an error', async () => {
      const values: number[] = [];
      const error = await new Promise((resolve) =>
        client.send<number>('late-error', 0).subscribe({ next: (value) => values.push(value), error: resolve }),
      );
      expect(values).toEqual([1, 2]);
      expect(error).toEqual({ status: 'error', message: 'broken in the middle' });
    });

    it('passes pipes', async () => {
      expect(await ask('validated', { a: 1, b: 2 })).toBe(3);
      expect(await refusal(all('validated', { a: 'x', b: 2 }))).toEqual({
        status: 'error',
        message: 'Internal server error',
      });
      expect(await refusal(all('validated-rpc', { a: 'x', b: 2 }))).toEqual(['a']);
    });

    it('passes interceptors, value by value', async () => {
      expect(await all('intercepted', [1, 2, 3])).toEqual([2, 4, 6]);
      expect(await all('intercepted', [4])).toEqual([8]);
    });

    it('is answered with an error when there is no handler', async () => {
      if (transport.name === "Nest's Redis") return; // Nobody is subscribed to the channel: no answer ever comes.
      expect(await refusal(all('unheard-of', 0))).toBe(
        'There is no matching message handler defined in the remote service.',
      );
    });

    it('carries bytes', async () => {
      const { hex, bytes } = await ask<{ hex: string; bytes: Buffer }>('binary', {
        bytes: Buffer.from('00ff10', 'hex'),
      });
      expect(hex).toBe('00ff10');
      expect(Buffer.from(bytes).toString('hex')).toBe('00ff1000ff10');
      // What applications on Nest's own transports write, who get the JSON of a Buffer.
      expect(Buffer.from((bytes as unknown as { data: number[] }).data).toString('hex')).toBe('00ff1000ff10');
    });

    it('may be asked many times at once, and answers come as they are ready', async () => {
      const order: number[] = [];
      const answers = [200, 1, 50].map(async (ms) => order.push(await ask<number>('slow', ms)));
      await Promise.all(answers);
      expect(order).toEqual([1, 50, 200]);
      const sums = await Promise.all(Array.from({ length: 100 }, (_, n) => ask('sync', [n, 1])));
      expect(sums).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    });

    it('is cold: without a subscriber nothing is sent', async () => {
      client.send('happened', 'never');
      await ask('sync', [1]);
      expect(seen).toEqual([]);
    });

    // Nest 11 has no such hook.
    const withHook = 'setOnDispatchHook' in ClientProxy.prototype ? it : it.skip;
    withHook('carries what the dispatch hook attached', async () => {
      client.setOnDispatchHook((packet) => (packet.metadata = { trace: 'abc' }));
      expect(await ask('metadata', 0)).toEqual({ trace: 'abc' });
    });
  });

  describe('emit', () => {
    it('reaches the handlers of its pattern', async () => {
      await lastValueFrom(client.emit('happened', { n: 1 }), { defaultValue: undefined });
      await lastValueFrom(client.emit({ happened: 'object' }, 2), { defaultValue: undefined });
      await lastValueFrom(client.emit('happened-observably', 3), { defaultValue: undefined });
      await eventually(() => expect(seen).toHaveLength(3));
      expect(seen).toEqual(expect.arrayContaining([{ n: 1 }, { object: 2 }, 3]));
    });

    it('is hot: it is sent without a subscriber', async () => {
      client.emit('happened', 'at once');
      await eventually(() => expect(seen).toEqual(['at once']));
    });

    it('disturbs nothing when no handler knows it', async () => {
      client.emit('unheard-of', 1);
      client.emit('happened', 2);
      await eventually(() => expect(seen).toEqual([2]));
    });
  });
});

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => Promise.reject(new Error(`did not fail, but gave ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );
}
