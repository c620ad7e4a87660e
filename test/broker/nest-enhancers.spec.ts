import { Catch, Inject, Injectable, Module, ParseIntPipe, Scope, UseFilters, UseGuards } from '@nestjs/common';
import type { ArgumentsHost, CanActivate, ExceptionFilter, ExecutionContext, Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, REQUEST } from '@nestjs/core';
import { Ctx, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { BrokerModule, NonRetryableError, On, Publisher } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('desk.asked')
class Asked {
  @IsString() count!: string;
}

const log: string[] = [];
beforeEach(() => {
  log.length = 0;
});

async function start(...providers: Provider[]) {
  const store = await redisStore();
  @Module({
    imports: [BrokerModule.forRoot({ context: 'desk', partitions: 1, store, retry: { attempts: 3, delayMs: 1 } })],
    providers,
  })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] }).compile();
  onTestFinished(() => module.close());
  await module.init();
  const ask = (count: string) => module.get(Publisher).publish(Object.assign(new Asked(), { count }));
  return { ask, deadLetters: () => store.readDeadLetters({ context: 'desk', index: 0 }, 10) };
}

describe('enhancers of the whole application', () => {
  it('apply to handlers, with what they inject', async () => {
    @Injectable()
    class Rules {
      allows = (count: string) => count !== '0';
    }
    @Injectable()
    class Gate implements CanActivate {
      constructor(private readonly rules: Rules) {}
      canActivate(context: ExecutionContext): boolean {
        const allowed = this.rules.allows(context.switchToRpc().getData<Asked>().count);
        log.push(`${context.getType()} ${context.getClass().name} ${allowed}`);
        return allowed;
      }
    }
    @Catch()
    class Witness implements ExceptionFilter {
      catch(error: Error, host: ArgumentsHost): void {
        log.push(`${host.getType()} ${error.name}`);
        throw error;
      }
    }
    @Injectable()
    class Clerk {
      @On(Asked) asked({ count }: Asked): void {
        log.push(`asked ${count}`);
      }
    }
    const { ask, deadLetters } = await start(
      Clerk,
      Rules,
      { provide: APP_GUARD, useClass: Gate },
      { provide: APP_FILTER, useClass: Witness },
    );
    await ask('1');
    await eventually(() => expect(log).toEqual(['rpc Clerk true', 'asked 1']));
    log.length = 0;
    await ask('0');
    await eventually(async () =>
      expect(await deadLetters()).toMatchObject([
        { reason: 'handler-failed', error: 'Forbidden resource', attempts: 3 },
      ]),
    );
    expect(log.slice(0, 2)).toEqual(['rpc Clerk false', 'rpc ForbiddenException']);
  });
});

describe('a pipe on a property of the payload', () => {
  it('makes the argument, and its error is that of the message', async () => {
    @Injectable()
    class Clerk {
      @On(Asked) asked(
        @Payload() _event: Asked,
        @Payload('count', ParseIntPipe) count: number,
        @Ctx() { attempt }: MessageContext,
      ): void {
        log.push(`${typeof count} ${count} ${attempt}`);
      }
    }
    const { ask, deadLetters } = await start(Clerk);
    await ask('12');
    await eventually(() => expect(log).toEqual(['number 12 1']));
    await ask('many');
    await eventually(async () =>
      expect(await deadLetters()).toMatchObject([
        { reason: 'handler-failed', error: 'Validation failed (numeric string is expected)' },
      ]),
    );
  });
});

describe('a guard of request scope', () => {
  it('is made for every message, with its context as the request', async () => {
    let made = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Gate implements CanActivate {
      private readonly number = ++made;
      constructor(@Inject(REQUEST) private readonly context: MessageContext) {}
      canActivate(): boolean {
        log.push(`${this.number} ${this.context.envelope.type}`);
        return true;
      }
    }
    @Injectable()
    class Clerk {
      @UseGuards(Gate)
      @On(Asked)
      asked(): void {
        log.push('asked');
      }
    }
    const { ask } = await start(Clerk);
    await ask('1');
    await ask('2');
    await eventually(() => expect([...log].sort()).toEqual(['1 desk.asked', '2 desk.asked', 'asked', 'asked']));
  });
});

describe('an error that says what to do', () => {
  it('arrives as it was thrown, behind filters that pass it on', async () => {
    @Catch(RangeError)
    class OnlyRanges implements ExceptionFilter {
      catch(): void {
        log.push('filtered');
      }
    }
    @Injectable()
    class Clerk {
      @UseFilters(OnlyRanges)
      @On(Asked)
      asked(): void {
        log.push('asked');
        throw new NonRetryableError('not this one');
      }
    }
    const { ask, deadLetters } = await start(Clerk);
    await ask('1');
    await eventually(async () => expect(await deadLetters()).toMatchObject([{ error: 'not this one', attempts: 1 }]));
    expect(log).toEqual(['asked']);
  });
});
