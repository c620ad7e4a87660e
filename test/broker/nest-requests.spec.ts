import { Injectable, Module, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BrokerModule, Handles, Requester } from '@millrace/broker';
import { Command } from '@millrace/messages';
import { concat, interval, map, of, take, throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { Added } from '../support/desk.js';
import { onTestFinished } from '../support/redis.js';
import { inRedis } from '../support/store.js';

@Command('work.one')
class One extends Command<Added> {}

@Command('work.few')
class Few extends Command<Added> {}

@Command('work.many')
class Many extends Command<Added> {}

@Command('work.broken')
class Broken extends Command<Added> {}

@Injectable()
class PlusHundred implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<Added>): Observable<Added> {
    return next.handle().pipe(map(({ sum }) => new Added(sum + 100)));
  }
}

@Injectable()
class Plain {
  @Handles(One)
  one(): Observable<Added> {
    return of(new Added(1));
  }

  @Handles(Few)
  async *few(): AsyncGenerator<Added> {
    yield new Added(1);
    yield new Added(2);
  }

  @Handles(Many)
  many(): Observable<Added> {
    return interval(1).pipe(
      take(3),
      map((n) => new Added(n)),
    );
  }

  @Handles(Broken, { retry: { attempts: 1 } })
  broken(): Observable<Added> {
    return concat(
      of(new Added(1)),
      throwError(() => new Error('broken')),
    );
  }
}

@Injectable()
@UseInterceptors(PlusHundred)
class Intercepted {
  @Handles(One)
  one(): Added {
    return new Added(1);
  }

  @Handles(Many)
  many(): Observable<Added> {
    return interval(1).pipe(
      take(3),
      map((n) => new Added(n)),
    );
  }
}

async function shop(handlers: new () => object): Promise<Requester> {
  @Module({
    imports: [BrokerModule.forRoot({ context: 'work', ...inRedis() })],
    providers: [handlers],
  })
  class Shop {}
  const app = (await Test.createTestingModule({ imports: [Shop] }).compile()).createNestApplication();
  onTestFinished(() => app.close());
  await app.init();
  return app.get(Requester);
}

describe('a request to a Nest handler', () => {
  it('is answered by what an Observable or a generator gives', async () => {
    const requester = await shop(Plain);

    expect(await requester.request(new One())).toEqual(new Added(1));
    expect(await sums(requester.stream(new One()))).toEqual([1]);
    expect(await sums(requester.stream(new Few()))).toEqual([1, 2]);
    expect(await sums(requester.stream(new Many()))).toEqual([0, 1, 2]);
  });

  it('fails behind the replies that came before the failure', async () => {
    const replies = (await shop(Plain)).stream(new Broken());

    expect((await replies.next()).value).toEqual(new Added(1));
    await expect(replies.next()).rejects.toMatchObject({ reason: 'handler-failed' });
  });

  it('passes the interceptors, reply by reply', async () => {
    const requester = await shop(Intercepted);

    expect(await requester.request(new One())).toEqual(new Added(101));
    expect(await sums(requester.stream(new Many()))).toEqual([100, 101, 102]);
  });
});

async function sums(replies: AsyncIterable<Added>): Promise<number[]> {
  const found: number[] = [];
  for await (const { sum } of replies) found.push(sum);
  return found;
}
