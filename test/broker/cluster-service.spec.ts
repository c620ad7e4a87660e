import {
  BrokerModule,
  DeadLetters,
  Handles,
  NonRetryableError,
  On,
  Publisher,
  RedisStreamsClient,
  RedisStreamsServer,
  Requester,
  Scheduler,
} from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStoreModule, InjectRepository } from '@millrace/event-store';
import { InjectView, Projection, Projects, ReadView, Repository } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { Command, Event, Reply } from '@millrace/messages';
import { Saga, saga, SagaModule, Sagas } from '@millrace/saga';
import { Controller, Injectable, Module } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { PrivateCluster } from '../support/cluster.js';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';

@Event('shop.placed', { key: 'order' })
class Placed {
  constructor(readonly order: string) {}
}

@Reply('stock.reserved')
class Reserved {
  constructor(readonly left: number) {}
}

@Command('stock.reserve', { key: 'sku' })
class Reserve extends Command<Reserved> {
  constructor(readonly sku: string) {
    super();
  }
}

@Event('stock.taken', { key: 'sku' })
class Taken {
  constructor(readonly sku: string) {}
}

@Aggregate('product')
class Product extends AggregateRoot {
  private left = 1_000;

  take(): Reserved {
    this.record(new Taken(this.id));
    return new Reserved(this.left);
  }

  @Apply(Taken) protected taken(): void {
    this.left--;
  }
}

@Injectable()
class StockHandlers {
  readonly heard: string[] = [];
  refusing = true;

  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  @Handles(Reserve)
  reserve({ sku }: Reserve): Promise<Reserved> {
    if (sku === 'nothing' && this.refusing) throw new NonRetryableError('not today');
    return this.products.change(sku, (product) => product.take());
  }

  @On(Placed, { everyInstance: true })
  everywhere({ order }: Placed): void {
    this.heard.push(order);
  }
}

@Saga('sell')
class Sell {
  readonly definition = saga<{ order: string }>()
    .startsOn(Placed, ({ order }) => ({ order }))
    .pivot()
    .step('reserve', (step) => step.sends(({ order }) => new Reserve(`book-${order}`)).untilDone());
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

describe('services on a Redis Cluster', () => {
  let cluster: PrivateCluster;
  beforeAll(async () => {
    cluster = await PrivateCluster.start();
  }, 30_000);
  afterAll(() => cluster.stop());

  /** The services `shop` (with the saga) and `stock`. */
  async function services() {
    const options = {
      namespace: freshNamespace(),
      redis: { cluster: cluster.addresses },
      blockMs: 200,
      validate: false,
    };
    @Module({ imports: [BrokerModule.forRoot({ ...options, context: 'shop' }), SagaModule.forFeature([Sell])] })
    class ShopModule {}
    @Module({
      imports: [
        BrokerModule.forRoot({ ...options, context: 'stock' }),
        EventStoreModule.forFeature({ aggregates: [Product], projections: [Sales] }),
      ],
      providers: [StockHandlers, Reports],
    })
    class StockModule {}
    const start = async (module: new () => object) => {
      const app = (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication({
        logger: false,
      });
      onTestFinished(() => app.close());
      return app.init();
    };
    return { shop: await start(ShopModule), stock: await start(StockModule) };
  }

  it('run sagas, aggregates and projections', async () => {
    const { shop, stock } = await services();
    const orders = Array.from({ length: 40 }, (_, n) => `o-${n}`);
    await Promise.all(orders.map((order) => shop.get(Publisher).publish(new Placed(order))));
    for (const order of orders) {
      await eventually(async () =>
        expect(await shop.get(Sagas).find('sell', order)).toMatchObject({ status: 'completed' }),
      );
      await eventually(async () => expect(await stock.get(Reports).sales.get(`book-${order}`)).toBe(1));
    }
    await eventually(() => expect(stock.get(StockHandlers).heard.sort()).toEqual([...orders].sort()));
  });

  it('answer requests', async () => {
    const { shop } = await services();
    const requests = Array.from({ length: 20 }, (_, n) => shop.get(Requester).request(new Reserve(`pen-${n}`)));
    for (const answer of await Promise.all(requests)) expect(answer).toMatchObject({ left: 999 });
  });

  it('take dead letters up again', async () => {
    const { shop, stock } = await services();
    await shop.get(Publisher).send(new Reserve('nothing'));
    const letters = stock.get(DeadLetters);
    const [letter] = await eventually(async () => {
      const { letters: found } = await letters.list();
      expect(found).toHaveLength(1);
      return found;
    });
    stock.get(StockHandlers).refusing = false;
    await letters.redrive(letter!.id);
    await eventually(async () => expect(await stock.get(Reports).sales.get('nothing')).toBe(1));
    expect(await letters.count()).toBe(0);
  });

  it('send delayed and recurring messages, cancel and move them', async () => {
    const { shop, stock } = await services();
    const sales = stock.get(Reports).sales;
    const scheduler = shop.get(Scheduler);
    await shop.get(Publisher).send(new Reserve('soon'), { delayMs: 50 });
    await scheduler.schedule(new Reserve('never'), { id: 'never', at: new Date(Date.now() + 60_000) });
    await scheduler.schedule(new Reserve('moved'), { id: 'moved', at: new Date(Date.now() + 60_000) });
    expect(await scheduler.cancel('never')).toBe(true);
    expect(await scheduler.move('moved', new Date(Date.now() + 50))).toBe(true);
    await eventually(async () => expect(await sales.get('soon')).toBe(1));
    await eventually(async () => expect(await sales.get('moved')).toBe(1));
    expect(await sales.get('never')).toBeUndefined();
  });

  it('speak over the transport for microservices', async () => {
    const options = { namespace: freshNamespace(), redis: { cluster: cluster.addresses } };
    const heard: string[] = [];
    @Controller()
    class Desk {
      @MessagePattern('add')
      add(@Payload() numbers: number[]): number {
        return numbers.reduce((sum, each) => sum + each, 0);
      }

      @EventPattern('noted')
      noted(@Payload() text: string): void {
        heard.push(text);
      }
    }
    const module = await Test.createTestingModule({ controllers: [Desk] }).compile();
    const app = module.createNestMicroservice({
      strategy: new RedisStreamsServer({ ...options, group: 'desk' }),
      logger: false,
    });
    onTestFinished(() => app.close());
    await app.listen();
    const client = new RedisStreamsClient(options);
    onTestFinished(async () => client.close());
    expect(await firstValueFrom(client.send<number>('add', [1, 2, 3]))).toBe(6);
    await firstValueFrom(client.emit('noted', 'it'), { defaultValue: undefined });
    await eventually(() => expect(heard).toEqual(['it']));
  });
});
