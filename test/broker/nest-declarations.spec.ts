import { Controller, Injectable, Module, Scope, UseGuards } from '@nestjs/common';
import type { CanActivate, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BrokerModule, Handles, On, Publisher } from '@millrace/broker';
import type { BrokerFeatureOptions } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { translate } from '@millrace/transforms';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('desk.asked')
class Asked {}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask')
class Ask extends Command<Answered> {}

@Command('hall.ask')
class AskHall extends Command<Answered> {}

let log: string[] = [];
beforeEach(() => {
  log = [];
});

@Injectable()
class Clerk {
  @On(Asked, { group: 'clerk' }) asked(): void {
    log.push('asked');
  }
}

@Module({ providers: [Clerk], exports: [Clerk] })
class ClerkModule {}

async function start(providers: Provider[], imports: Type<unknown>[] = [], feature: BrokerFeatureOptions = {}) {
  const store = await redisStore();
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({ context: 'desk', partitions: 1, store }),
      BrokerModule.forFeature(feature),
      ...imports,
    ],
    providers,
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  return module.get(Publisher);
}

describe('handlers are found', () => {
  const providers: [string, Provider[]][] = [
    ['a class', [Clerk]],
    ['a class under another name', [{ provide: 'clerk', useClass: Clerk }]],
    ['a value', [{ provide: 'clerk', useValue: new Clerk() }]],
    ['what a factory makes', [{ provide: 'clerk', useFactory: () => Promise.resolve(new Clerk()) }]],
    ['a class with an alias, once', [Clerk, { provide: 'alias', useExisting: Clerk }]],
    [
      'a class that a factory hands out, once',
      [Clerk, { provide: 'it', inject: [Clerk], useFactory: (it: Clerk) => it }],
    ],
    ['a class that inherits them', [class Deputy extends Clerk {}]],
  ];
  it.each(providers)('in %s', async (_what, provided) => {
    const publisher = await start(provided);
    await publisher.publish(new Asked());
    await publisher.publish(new Asked());
    await eventually(() => expect(log).toEqual(['asked', 'asked']));
  });

  it('in one class that two modules import', async () => {
    @Module({ imports: [ClerkModule] })
    class Other {}
    const publisher = await start([], [ClerkModule, Other]);
    await publisher.publish(new Asked());
    await eventually(() => expect(log).toEqual(['asked']));
  });

  it('any number of them for one event, in providers and controllers, in groups of their own', async () => {
    @Controller()
    class Hall {
      @On(Asked) first(): void {
        log.push('first');
      }
      @On(Asked, { group: 'second' })
      @On(Asked, { group: 'third' })
      second(): void {
        log.push('second');
      }
    }
    const store = await redisStore();
    const module = await Test.createTestingModule({
      imports: [BrokerModule.forRoot({ context: 'desk', partitions: 1, store })],
      providers: [Clerk],
      controllers: [Hall],
    }).compile();
    onTestFinished(() => module.close());
    await module.init();
    await module.get(Publisher).publish(new Asked());
    await eventually(() => expect([...log].sort()).toEqual(['asked', 'first', 'second', 'second']));
  });

  it('for a command that a transform makes of a foreign one', async () => {
    class Porter {
      @Handles(AskHall) ask(): Answered {
        log.push('hall asked');
        return new Answered();
      }
    }
    const publisher = await start([Porter], [], { inbound: [translate(Ask, AskHall, () => ({}))] });
    await publisher.send(new Ask());
    await eventually(() => expect(log).toEqual(['hall asked']));
  });
});

describe('an application is refused at its start', () => {
  class Porter {
    @Handles(Ask) ask(): Answered {
      return new Answered();
    }
  }
  class Deputy {
    @Handles(Ask) ask(): Answered {
      return new Answered();
    }
  }
  class Stranger {
    @Handles(AskHall) ask(): Answered {
      return new Answered();
    }
  }
  class Nowhere {
    @On(Asked, { broker: 'billing' }) asked(): void {}
  }
  @Injectable({ scope: Scope.TRANSIENT })
  class Fleeting extends Clerk {}

  class Open implements CanActivate {
    canActivate = () => true;
  }
  @UseGuards(Open)
  class Guarded extends Clerk {}

  const refusals: [string, Provider[], string | RegExp][] = [
    ['two handlers of one command', [Porter, Deputy], 'Porter.ask and Deputy.ask both handle desk.ask'],
    [
      'a handler of another context’s command',
      [Stranger],
      "Stranger.ask handles hall.ask, a command of context 'hall'",
    ],
    [
      'a handler of a connection that is not there',
      [Nowhere],
      "Nowhere.asked belongs to connection 'billing', which this application does not have: name one of 'default'",
    ],
    ['a class that is made for each who injects it', [Fleeting], 'Fleeting has handlers and Scope.TRANSIENT'],
    [
      'a value whose guards nobody would ask',
      [{ provide: 'guarded', useValue: new Guarded() }],
      'Guarded.asked has guards, pipes, interceptors or filters, which Nest does not apply to a value',
    ],
    [
      'a class that is provided twice',
      [Clerk, { provide: 'again', useClass: Clerk }],
      /Clerk has handlers and is made twice, in RootTestModule and in RootTestModule/,
    ],
  ];
  it.each(refusals)('for %s', async (_what, providers, words) => {
    await expect(start(providers)).rejects.toThrow(words);
  });

  it('for a class that two modules provide', async () => {
    @Module({ providers: [Clerk] })
    class Again {}
    await expect(start([], [ClerkModule, Again])).rejects.toThrow('made twice, in ClerkModule and in Again');
  });

  it('and has nothing open any more', async () => {
    const root = BrokerModule.forRoot({ context: 'desk', redis: { url: redisUrl() }, namespace: freshNamespace() });
    const module = await Test.createTestingModule({ imports: [root], providers: [Porter, Deputy] }).compile();
    const publisher = module.get(Publisher);
    await publisher.publish(new Asked());
    await expect(module.init()).rejects.toThrow('Porter.ask and Deputy.ask both handle desk.ask');
    await expect(publisher.publish(new Asked())).rejects.toThrow('the store has been closed');
  });
});

describe('a decorator refuses', () => {
  const name = Symbol('asked');
  const onStatic = () => {
    class Wrong {
      readonly own = true;
      @On(Asked) static asked(): void {}
    }
    return Wrong;
  };
  const onSymbol = () => {
    class Wrong {
      @On(Asked) [name](): void {}
    }
    return Wrong;
  };

  it('a method that nobody would find', () => {
    expect(onStatic).toThrow('@On(Asked) is on asked, which is static');
    expect(onSymbol).toThrow('@On(Asked) is on Symbol(asked), which is named by a symbol');
  });
});
