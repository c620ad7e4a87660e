/**
 * A small service with everything that leans on Nest, to be compiled and run against the packages as npm would install them
 * beside an older Nest. Its last line is `ok`. Environment: REDIS_URL, NAMESPACE.
 */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerModule, Handles, On, Publisher, RedisStreamsClient, RedisStreamsServer } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import {
  Aggregate,
  AggregateRoot,
  Apply,
  EventStoreModule,
  InjectRepository,
  InjectView,
  Projection,
  Projects,
  ReadView,
  Repository,
} from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { Command, Event, Reply } from '@millrace/messages';
import { Saga, saga, SagaModule, Sagas } from '@millrace/saga';
import { Controller, Inject, Injectable, Module, Scope, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { ClientProxy, ClientsModule, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { firstValueFrom } from 'rxjs';

const redis = { url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' };
const namespace = process.env['NAMESPACE'] ?? 'smoke';
const seen: string[] = [];

@Event('shop.placed', { key: 'order' })
class Placed {
  @IsString() readonly order: string;
  constructor(order: string) {
    this.order = order;
  }
}

@Reply('shop.reserved')
class Reserved {
  @IsInt() readonly left: number;
  constructor(left: number) {
    this.left = left;
  }
}

@Command('shop.reserve', { key: 'sku' })
class Reserve extends Command<Reserved> {
  @IsString() readonly sku: string;
  constructor(sku: string) {
    super();
    this.sku = sku;
  }
}

@Event('shop.taken', { key: 'sku' })
class Taken {
  @IsString() readonly sku: string;
  constructor(sku: string) {
    this.sku = sku;
  }
}

@Aggregate('product')
class Product extends AggregateRoot {
  private left = 10;

  take(): Reserved {
    this.record(new Taken(this.id));
    return new Reserved(this.left);
  }

  @Apply(Taken) protected taken(): void {
    this.left--;
  }
}

@Injectable()
class OnlyMessages implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(`guard ${context.getType()}`);
    return true;
  }
}

@Injectable()
class Trimmed implements PipeTransform<Reserve, Reserve> {
  transform(command: Reserve): Reserve {
    seen.push('pipe');
    return new Reserve(command.sku.trim());
  }
}

@Injectable()
class StockHandlers {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  @UseGuards(OnlyMessages)
  @Handles(Reserve)
  reserve(@Payload(Trimmed) { sku }: Reserve): Promise<Reserved> {
    return this.products.change(sku, (product) => product.take());
  }
}

@Injectable({ scope: Scope.REQUEST })
class Mailer {
  constructor(@Inject(REQUEST) private readonly context: MessageContext) {}

  @On(Placed, { group: 'mailer' })
  placed({ order }: Placed): void {
    seen.push(`mail for ${order}, attempt ${this.context.attempt}`);
  }
}

@Saga('sell')
class Sell {
  readonly definition = saga<{ order: string }>()
    .startsOn(Placed, ({ order }) => ({ order }))
    .pivot()
    .step('reserve', (step) => step.sends(() => new Reserve(' book ')).untilDone());
}

@Projection('sales')
class Sales {
  @Projects(Taken) async taken({ sku }: Taken, view: View<number>): Promise<void> {
    await view.update(sku, (count = 0) => count + 1);
  }
}

@Injectable()
class Reports {
  constructor(@InjectView(Sales) readonly sales: ReadView<number>) {}
}

@Module({
  imports: [
    BrokerModule.forRootAsync({ useFactory: async () => ({ context: 'shop', namespace, redis, blockMs: 100 }) }),
    EventStoreModule.forFeature({ aggregates: [Product], projections: [Sales] }),
    SagaModule.forFeature([Sell]),
  ],
  providers: [StockHandlers, Mailer, OnlyMessages, Trimmed, Reports],
})
class ShopModule {}

@Controller()
class Desk {
  @MessagePattern({ cmd: 'add' })
  add(@Payload() numbers: number[]): number {
    return numbers.reduce((sum, each) => sum + each, 0);
  }

  @EventPattern('noted')
  noted(@Payload() text: string): void {
    seen.push(`noted ${text}`);
  }
}

@Module({
  imports: [
    ClientsModule.register([
      { name: 'DESK', customClass: RedisStreamsClient, options: { ...redis, namespace: `${namespace}-desk` } },
    ]),
  ],
  controllers: [Desk],
})
class DeskModule {}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await holds()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen; seen: ${seen.join(', ')}`);
  }
  console.log(what);
}

async function handlers(): Promise<void> {
  const app = await NestFactory.createApplicationContext(ShopModule, { logger: ['error', 'warn'] });
  await app.get(Publisher).publish(new Placed('o-1'));
  await until('a saga from its event to its end', async () => {
    const instance = await app.get(Sagas).find('sell', 'o-1');
    return instance?.status === 'completed';
  });
  await until('a handler of request scope', () => seen.includes('mail for o-1, attempt 1'));
  await until('guards and pipes', () => seen.includes('guard rpc') && seen.includes('pipe'));
  await until('an aggregate and its projection', async () => (await app.get(Reports).sales.get('book')) === 1);
  await app.close();
}

async function transport(): Promise<void> {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(DeskModule, {
    strategy: new RedisStreamsServer({ ...redis, namespace: `${namespace}-desk`, group: 'desk' }),
    logger: ['error', 'warn'],
  });
  await app.listen();
  const client = app.get<ClientProxy>('DESK');
  const sum = await firstValueFrom(client.send<number>({ cmd: 'add' }, [1, 2, 3]));
  await until('a request and its answer', () => sum === 6);
  await firstValueFrom(client.emit('noted', 'it'), { defaultValue: undefined });
  await until('an event', () => seen.includes('noted it'));
  await app.close();
}

async function main(): Promise<void> {
  await handlers();
  await transport();
  console.log('ok');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
