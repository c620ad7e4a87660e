import {
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { CallHandler, CanActivate, ExceptionFilter, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Broker, BrokerModule, ConfigurationError, Handles, On, PARTITION_STORE, Publisher } from '@millrace/broker';
import type { BrokerFeatureOptions, BrokerModuleOptions, MessageContext, PartitionStore } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { translate, upcast } from '@millrace/transforms';
import { IsInt, IsString } from 'class-validator';
import { map } from 'rxjs';
import { eventually, onTestFinished } from '../support/redis.js';
import { inRedis, redisStore } from '../support/store.js';

@Reply('desk.answered')
class Answered {
  @IsString() text!: string;
}

@Command('desk.ask', { key: 'who' })
class Ask extends Command<Answered> {
  @IsString() who!: string;
}

@Event('desk.asked', { version: 2 })
class Asked {
  @IsInt() count!: number;
}

@Event('hall.asked')
class HallAsked {
  @IsInt() count!: number;
}

const make = <T extends object>(type: new () => T, data: Partial<T>): T => Object.assign(new type(), data);
const log: string[] = [];
beforeEach(() => {
  log.length = 0;
});

/** Starts an application with these handlers; closed when the test has finished. */
async function start(
  providers: (new (...args: never[]) => object)[],
  options: Partial<BrokerModuleOptions> = {},
  feature: BrokerFeatureOptions = {},
) {
  const store = await redisStore();
  @Module({
    imports: [
      BrokerModule.forRoot({ context: 'desk', partitions: 1, store, retry: { delayMs: 1, attempts: 2 }, ...options }),
      BrokerModule.forFeature(feature),
    ],
    providers,
  })
  class App {}
  const app = (await Test.createTestingModule({ imports: [App] }).compile()).createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.init();
  return { app, store, publisher: app.get(Publisher), broker: app.get(Broker) };
}

const deadLetters = (store: PartitionStore) => store.readDeadLetters({ context: 'desk', index: 0 }, 10);

describe('a handler in a provider of request scope', () => {
  it('has an instance for every message, with its context as the request', async () => {
    let instances = 0;
    @Injectable({ scope: Scope.REQUEST })
    class Clerk {
      readonly number = ++instances;
      constructor(@Inject(REQUEST) private readonly context: MessageContext) {}

      @Handles(Ask)
      ask({ who }: Ask): Answered {
        log.push(`${who} ${this.number} ${this.context.envelope.type} ${this.context.attempt}`);
        return make(Answered, { text: who });
      }
    }
    const { publisher } = await start([Clerk as never]);
    for (const who of ['a', 'b']) await publisher.send(make(Ask, { who }), { key: 'same' });
    await eventually(() => expect(log).toEqual(['a 1 desk.ask 1', 'b 2 desk.ask 1']));
  });
});

describe('a guard', () => {
  it('that rejects fails the message with its own error', async () => {
    class Closed implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        log.push(`${context.getType()} ${(context.getArgs()[0] as Ask).who}`);
        throw new ForbiddenException('the desk is closed');
      }
    }
    @Injectable()
    class Clerk {
      @UseGuards(Closed)
      @Handles(Ask)
      ask(): Answered {
        log.push('asked');
        return new Answered();
      }
    }
    const { publisher, store } = await start([Clerk]);
    await publisher.send(make(Ask, { who: 'a' }));
    await eventually(async () =>
      expect(await deadLetters(store)).toMatchObject([
        { reason: 'handler-failed', error: 'the desk is closed', attempts: 2 },
      ]),
    );
    expect(log).toEqual(['rpc a', 'rpc a']);
  });
});

describe('interceptors and filters', () => {
  it('see the message and its outcome', async () => {
    class Loud implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler) {
        log.push('before');
        return next.handle().pipe(map((answer: Answered) => make(Answered, { text: answer.text.toUpperCase() })));
      }
    }
    @Catch(RangeError)
    class Lenient implements ExceptionFilter {
      catch(error: RangeError): Answered | undefined {
        log.push(`filtered ${error.message}`);
        return error.message === 'nobody' ? make(Answered, { text: 'nobody is here' }) : undefined;
      }
    }
    @Injectable()
    class Clerk {
      @UseInterceptors(Loud)
      @UseFilters(Lenient)
      @Handles(Ask)
      ask({ who }: Ask): Answered {
        if (who.startsWith('no')) throw new RangeError(who);
        return make(Answered, { text: who });
      }
    }
    const { broker, store, publisher } = await start([Clerk]);
    const { text } = await broker.messages.encode(make(Ask, { who: 'a' }), { replyto: 'desk/0' });
    const to = broker.partitionFor('');
    await broker.commit({ partition: to, guards: [], writes: [{ kind: 'emit', to, message: text }] });
    // Nobody handles the reply, so it shows among the dead letters.
    await eventually(async () => expect(await deadLetters(store)).toMatchObject([{ reason: 'unknown-type' }]));
    const [reply] = await deadLetters(store);
    expect(JSON.parse(reply!.fields[1]!)).toMatchObject({
      type: 'desk.answered',
      outcome: 'success',
      data: { text: 'A' },
    });
    log.length = 0;
    await publisher.send(make(Ask, { who: 'nobody' }));
    await eventually(() => expect(log).toEqual(['before', 'filtered nobody']));
    await publisher.send(make(Ask, { who: 'nowhere' }));
    // A filter that answers nothing has not dealt with the error.
    await eventually(async () => expect(await deadLetters(store)).toHaveLength(2));
    expect((await deadLetters(store))[1]).toMatchObject({ reason: 'handler-failed', error: 'nowhere', attempts: 2 });
  });
});

describe('an application is refused at its start', () => {
  @Injectable()
  class One {
    @On(Asked) on(): void {}
  }
  @Injectable()
  class Two {
    @On(Asked) on(): void {}
  }
  @Injectable()
  class Own {
    @On(Asked, { group: 'two' }) on(): void {}
  }

  it("when two handlers would take each other's messages, and not when they have groups of their own", async () => {
    const refused = start([One, Two]);
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(/One\.on and Two\.on both handle desk\.asked in group 'desk'/);
    const { publisher } = await start([One, Own]);
    await publisher.publish(make(Asked, { count: 1 }));
  });

  it('when a decorator is on the wrong kind of message', () => {
    expect(() => Handles(Asked as never)).toThrow('@Handles(Asked) takes a @Command');
    expect(() => On(Ask)).toThrow('@On(Ask) takes an @Event');
  });

  it.each([
    [{ context: 'Desk' }, 'context "Desk" cannot be used'],
    [{ partitions: 0 }, 'it must be an integer from 1 to 1024'],
    [{ partitions: 1.5 }, 'it must be an integer from 1 to 1024'],
  ])('with the options %j', async (options, words) => {
    await expect(start([], options)).rejects.toThrow(words);
  });
});

describe('BrokerModule', () => {
  it('takes its options from a factory', async () => {
    const store = await redisStore();
    @Injectable()
    class Clerk {
      @On(Asked) asked({ count }: Asked): void {
        log.push(`asked ${count}`);
      }
    }
    @Module({
      imports: [BrokerModule.forRootAsync({ useFactory: async () => ({ context: 'desk', partitions: 2, store }) })],
      providers: [Clerk],
    })
    class App {}
    const app = (await Test.createTestingModule({ imports: [App] }).compile()).createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    await app.init();
    expect(app.get(Broker)).toMatchObject({ context: 'desk', partitions: 2 });
    expect(app.get(PARTITION_STORE)).toBe(store);
    await app.get(Publisher).publish(make(Asked, { count: 3 }));
    await eventually(() => expect(log).toEqual(['asked 3']));
  });

  it('opens and closes the connections it makes itself', async () => {
    const { app, publisher } = await start([], {
      store: undefined as never,
      ...inRedis(),
    });
    await publisher.publish(make(Asked, { count: 1 }));
    await app.close();
    await expect(publisher.publish(make(Asked, { count: 1 }))).rejects.toThrow('closed');
  });

  it('applies the transforms of a feature on the way in and on the way out', async () => {
    @Injectable()
    class Clerk {
      @On(HallAsked, { from: 'desk' }) hall({ count }: HallAsked): void {
        log.push(`hall ${count}`);
      }
    }
    const { publisher, store } = await start(
      [Clerk],
      {},
      {
        inbound: [
          upcast<{ n: number }>(Asked, { from: 1, to: 2 }, ({ n }) => ({ count: n })),
          translate(Asked, HallAsked, ({ count }) => ({ count: count + 1 })),
        ],
        outbound: [translate(HallAsked, Asked, ({ count }) => ({ count: count * 10 }))],
      },
    );
    await publisher.publish(make(HallAsked, { count: 4 }));
    const old = JSON.stringify({ id: 'old', source: '/desk', type: 'desk.asked', data: { n: 7 } });
    const partition = { context: 'desk', index: 0 };
    await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: [old] }] });
    await eventually(() => expect([...log].sort()).toEqual(['hall 41', 'hall 8']));
    const [sent] = await store.readFeed(partition, 0, 1);
    expect(JSON.parse(sent!.fields[1]!)).toMatchObject({ type: 'desk.asked', schemaversion: 2, data: { count: 40 } });
  });

  it("publishes its own context's events only, and sends commands only", async () => {
    const { publisher } = await start([]);
    await expect(publisher.publish(make(HallAsked, { count: 1 }))).rejects.toThrow(
      `event hall.asked belongs to context 'hall', this service is 'desk'`,
    );
    await expect(publisher.publish(make(Ask, { who: 'a' }))).rejects.toThrow('desk.ask is a command: publish events');
    await expect(publisher.send(make(Asked, { count: 1 }))).rejects.toThrow('desk.asked is a event: send commands');
    await expect(publisher.publish(make(Asked, {}))).rejects.toThrow('desk.asked: count must be an integer');
    await expect(publisher.publish({})).rejects.toThrow('Object is not a message');
  });
});
