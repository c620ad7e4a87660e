import { Injectable, Module, Scope } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { BrokerModule, DeadLetters, On, Publisher } from '@millrace/broker';
import type { BatchContext } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { IsInt } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { inRedis } from '../support/store.js';

@Event('shop.counted')
class Counted {
  @IsInt() n: number;

  constructor(n: number) {
    this.n = n;
  }
}

const log: string[] = [];

@Injectable()
class Plain {
  @On(Counted, { group: 'plain', batch: { size: 10, waitMs: 50 }, retry: { attempts: 1 } })
  count(events: Counted[], context: BatchContext): void {
    if (events.every((event) => event instanceof Counted)) log.push(`plain ${events.map(({ n }) => n).join()}`);
    context.fail(events[1]!, new Error('no'));
  }
}

@Injectable()
class Enhanced {
  @On(Counted, { group: 'enhanced', batch: { size: 10, waitMs: 50 } })
  async count(@Payload() events: Counted[], @Ctx() context: BatchContext): Promise<void> {
    log.push(`enhanced ${events.map(({ n }) => n).join()} of ${context.messages.length}`);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Scoped {
  @On(Counted, { group: 'scoped', batch: { size: 10, waitMs: 50 } })
  count(events: Counted[]): void {
    log.push(`scoped ${events.map(({ n }) => n).join()}`);
  }
}

@Module({
  imports: [BrokerModule.forRoot({ context: 'shop', partitions: 1, ...inRedis(), blockMs: 50 })],
  providers: [Plain, Enhanced, Scoped],
})
class Shop {}

it('@On with batch gets arrays in plain, decorated and request-scoped providers; what failed alone is a dead letter', async () => {
  const app = await Test.createTestingModule({ imports: [Shop] }).compile();
  onTestFinished(() => app.close());
  const publisher = app.get(Publisher);
  for (let n = 0; n < 3; n++) await publisher.publish(new Counted(n));
  await app.init();
  await eventually(() => expect(log).toHaveLength(3));
  expect(log.sort()).toEqual(['enhanced 0,1,2 of 3', 'plain 0,1,2', 'scoped 0,1,2']);
  const deadLetters = app.get(DeadLetters);
  await eventually(async () => expect(await deadLetters.count()).toBe(1));
  const { letters } = await deadLetters.list();
  expect(letters).toMatchObject([
    { error: 'no', group: 'shop.plain', type: 'shop.counted', message: { data: { n: 1 } } },
  ]);
});

it('@On refuses batches for every process', () => {
  expect(() => On(Counted, { everyInstance: true, batch: 10 })).toThrow(/batch and everyInstance/);
});
