import { Controller, Injectable, Module, UsePipes } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { BrokerModule, Handles, InMemoryPartitionStore, On, Publisher, RedisPartitionStore } from '@millrace/broker';
import type { MessageContext, PartitionStore } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString, Min } from 'class-validator';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

@Reply('shop.reserved')
class Reserved {
  @IsString() sku!: string;
}

@Reply('shop.refused', { failure: true })
class Refused {
  @IsString() reason!: string;
}

@Command('shop.reserve', { key: 'sku' })
class Reserve extends Command<Reserved, Refused> {
  @IsString() sku: string;
  @IsInt() @Min(1) quantity: number;

  constructor(sku: string, quantity: number) {
    super();
    this.sku = sku;
    this.quantity = quantity;
  }
}

@Event('shop.opened', { key: 'name' })
class Opened {
  @IsString() name: string;

  constructor(name: string) {
    this.name = name;
  }
}

class Uppercase implements PipeTransform {
  transform(value: unknown): unknown {
    return value instanceof Opened ? new Opened(value.name.toUpperCase()) : value;
  }
}

const log: string[] = [];

@Injectable()
class Desk {
  @Handles(Reserve)
  reserve(command: Reserve): Reserved | Refused {
    log.push(`reserve ${command.sku} ${command.quantity}`);
    return Object.assign(new Reserved(), { sku: command.sku });
  }
}

@Controller()
class Hall {
  @UsePipes(Uppercase)
  @On(Opened)
  opened(@Payload() event: Opened, @Ctx() context: MessageContext): void {
    log.push(`opened ${event.name} ${context.envelope.type}`);
  }
}

@Injectable()
class Mailer {
  private failures = 2;

  @On(Opened, { group: 'mailer' })
  mail(event: Opened, context: MessageContext): void {
    log.push(`mail ${event.name} attempt ${context.attempt}`);
    if (this.failures-- > 0) throw new Error('mail server is away');
  }
}

const stores: [string, () => Promise<PartitionStore>][] = [
  ['Redis', () => RedisPartitionStore.connect({ url: redisUrl(), namespace: freshNamespace() })],
  ['memory', () => Promise.resolve(new InMemoryPartitionStore())],
];

describe.each(stores)('handlers in Nest providers and controllers on %s', (_name, open) => {
  it('get their messages through the pipeline, retried per group', async () => {
    log.length = 0;
    const store = await open();
    @Module({
      imports: [BrokerModule.forRoot({ context: 'shop', store, retry: { delayMs: 10 } })],
      providers: [Desk, Mailer],
      controllers: [Hall],
    })
    class Shop {}
    const app = (await Test.createTestingModule({ imports: [Shop] }).compile()).createNestApplication();
    onTestFinished(async () => {
      await app.close();
      await store.close();
    });
    await app.init();
    const publisher = app.get(Publisher);
    await publisher.publish(new Opened('north'));
    await publisher.send(new Reserve('book', 2));
    await eventually(() => expect(log).toHaveLength(5));
    expect([...log].sort()).toEqual([
      'mail north attempt 1',
      'mail north attempt 2',
      'mail north attempt 3',
      'opened NORTH shop.opened',
      'reserve book 2',
    ]);
  });
});
