/** An exception is an error of one message. Peers' event sagas are subscriptions that end with the first (@nestjs/cqrs #1401). */
import { BrokerModule, DeadLetters, Handles, On, Publisher } from '@millrace/broker';
import { EventStoreModule, Projection, Projects } from '@millrace/event-store';
import { Command, Event, Reply } from '@millrace/messages';
import { Saga, saga, SagaModule, Sagas } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { from, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { done, Worker } from '../support/worker.js';

@Event('desk.asked', { key: 'question' })
class Asked {
  constructor(readonly question: string) {}
}

@Reply('desk.answered')
class Answered {
  constructor(readonly question: string) {}
}

@Command('desk.answer', { key: 'question' })
class Answer extends Command<Answered> {
  constructor(readonly question: string) {
    super();
  }
}

/** What has been handled, by whom; `first` throws on the first call of each, `never` always. */
@Injectable()
class Diary {
  private readonly handled: { readonly who: string; readonly question: string }[] = [];
  private readonly thrown = new Set<string>();

  whoHandled(question: string): readonly string[] {
    return this.handled
      .filter((each) => each.question === question)
      .map(({ who }) => who)
      .sort();
  }

  write(who: string, question: string): void {
    if (question === 'never') throw new Error('this one never');
    if (question === 'first' && !this.thrown.has(who)) {
      this.thrown.add(who);
      throw new Error('not the first time');
    }
    this.handled.push({ who, question });
  }
}

@Injectable()
class Clerks {
  constructor(private readonly diary: Diary) {}

  @On(Asked, { group: 'throws' }) throws({ question }: Asked): void {
    this.diary.write('throws', question);
  }

  @On(Asked, { group: 'rejects' }) async rejects({ question }: Asked): Promise<void> {
    await Promise.resolve();
    this.diary.write('rejects', question);
  }

  @On(Asked, { group: 'without-order', ordering: 'none' }) withoutOrder({ question }: Asked): void {
    this.diary.write('without-order', question);
  }

  @On(Asked, { group: 'batches', batch: 10 }) batches(asked: readonly Asked[]): void {
    for (const { question } of asked) this.diary.write('batches', question);
  }

  @On(Asked, { everyInstance: true }) everywhere({ question }: Asked): void {
    this.diary.write('everywhere', question);
  }

  @Handles(Answer) answer({ question }: Answer): Observable<Answered> {
    return from([new Answered(question)]).pipe(tap(() => this.diary.write('command', question)));
  }
}

/** Throws where it says what it sends, and where it takes the reply. */
@Saga('ask')
class Ask {
  readonly definition = saga<{ question: string }>()
    .startsOn(Asked, ({ question }) => ({ question }))
    .step('answer', (step) =>
      step
        .sends(({ question }) => {
          this.diary.write('saga', question);
          return new Answer(question);
        })
        .onReply(Answered, (state, { question }) => {
          this.diary.write('reply', question);
          return state;
        }),
    );

  constructor(private readonly diary: Diary) {}
}

@Projection('questions')
class Questions {
  constructor(private readonly diary: Diary) {}

  @Projects(Asked) asked({ question }: Asked): void {
    if (question !== 'never') this.diary.write('projection', question);
  }
}

@Module({ providers: [Diary], exports: [Diary] })
class DiaryModule {}

async function desk() {
  const sagas = SagaModule.forFeature([Ask]);
  const views = EventStoreModule.forFeature({ projections: [Questions] });
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({
        ...{ context: 'desk', namespace: freshNamespace(), redis: { url: redisUrl() }, validate: false },
        ...{ partitions: 1, blockMs: 50, retry: { attempts: 2, delayMs: 5 } },
      }),
      { ...sagas, imports: [...(sagas.imports ?? []), DiaryModule] },
      { ...views, imports: [...(views.imports ?? []), DiaryModule] },
      DiaryModule,
    ],
    providers: [Clerks],
  }).compile();
  module.useLogger(false);
  onTestFinished(() => module.close());
  return module.init();
}

const WHO = 'batches command everywhere projection rejects reply saga throws without-order'.split(' ');

describe('a handler that has thrown', () => {
  it('goes on, whatever it is: with the message that it threw for, and with what comes then (event sagas that die after one exception)', async () => {
    const app = await desk();
    const publisher = app.get(Publisher);
    const diary = app.get(Diary);
    for (const question of ['first', 'second']) await publisher.publish(new Asked(question));
    for (const question of ['first', 'second']) {
      await eventually(() => expect(diary.whoHandled(question)).toEqual(WHO));
      await eventually(async () =>
        expect(await app.get(Sagas).find('ask', question)).toMatchObject({ status: 'completed' }),
      );
    }
    expect(await app.get(DeadLetters).count()).toBe(0);
  });

  it('goes on with what comes then when the message was given up', async () => {
    const app = await desk();
    const publisher = app.get(Publisher);
    const diary = app.get(Diary);
    for (const question of ['never', 'second']) await publisher.publish(new Asked(question));
    await eventually(() => expect(diary.whoHandled('second')).toEqual(WHO));
    await eventually(async () => expect(await app.get(DeadLetters).count()).toBe(5));
    const { letters } = await app.get(DeadLetters).list();
    expect(diary.whoHandled('never')).toEqual([]);
    expect(letters.map(({ group, attempts }) => `${group} ${attempts}`).sort()).toEqual(
      ['batches', 'rejects', 'saga.ask', 'throws', 'without-order'].map((group) => `desk.${group} 2`),
    );
  });
});

describe('a process whose handler has thrown', () => {
  it('lives, and handles the next message itself', async () => {
    const site = await redisSite();
    const worker = Worker.start(site, { retry: { attempts: 2, delayMs: 5 } });
    await site.say('work.do', { n: 0, act: 'fail' });
    await site.say('work.do', { n: 1, act: 'retry' });
    await site.say('work.do', { n: 2 });
    await eventually(async () => expect(await done(site)).toMatchObject([{ n: 2, pid: worker.pid }]));
    await eventually(async () => expect((await site.deadLetters()).map(({ attempts }) => attempts)).toEqual([1, 2]));
    worker.signal('SIGTERM');
    expect(await worker.ended).toBe(0);
  });
});
