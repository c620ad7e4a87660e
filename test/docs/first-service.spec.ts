import { setTimeout as pause } from 'node:timers/promises';
import { BrokerModule, Handles, InMemoryPartitionStore, PARTITION_STORE, Publisher } from '@millrace/broker';
import { isOver, SagaModule, Sagas } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Charge,
  Charged,
  ConfirmOrder,
  Declined,
  OrderClosed,
  OrderPlaced,
  Refund,
  Refunded,
  RejectOrder,
} from './messages.js';
import { page, snippets } from './pages.js';
import { CatalogModule, PlaceOrder } from './first-service.js';

@Injectable()
class CardHandlers {
  @Handles(Charge)
  charge({ orderId, cents }: Charge): Charged | Declined {
    return cents > 5_000 ? new Declined(orderId, 'more than the card allows') : new Charged(orderId);
  }

  @Handles(Refund)
  refund({ orderId }: Refund): Refunded {
    return new Refunded(orderId);
  }
}

@Module({ imports: [BrokerModule.forRoot({ context: 'payment' })], providers: [CardHandlers] })
class PaymentModule {}

const ends = new Map<string, string>();

@Injectable()
class OrderHandlers {
  @Handles(ConfirmOrder)
  confirm({ orderId }: ConfirmOrder): OrderClosed {
    ends.set(orderId, 'confirmed');
    return new OrderClosed(orderId);
  }

  @Handles(RejectOrder)
  reject({ orderId, reason }: RejectOrder): OrderClosed {
    ends.set(orderId, reason);
    return new OrderClosed(orderId);
  }
}

@Module({
  imports: [BrokerModule.forRoot({ context: 'order' }), SagaModule.forFeature([PlaceOrder])],
  providers: [OrderHandlers],
})
class OrderModule {}

describe('the example of a saga and a service', () => {
  it('begins with the saga that the README shows', () => {
    const [saga] = snippets(page('docs/guides/first-service.md'));

    expect(snippets(page('README.md'))[0]!.code).toBe(saga!.code);
  });

  describe('in memory', () => {
    const store = new InMemoryPartitionStore();
    const services: INestApplicationContext[] = [];
    let order: INestApplicationContext;

    beforeAll(async () => {
      for (const module of [CatalogModule, PaymentModule, OrderModule]) services.push(await start(module, store));
      order = services.at(-1)!;
    });

    afterAll(async () => {
      for (const service of services) await service.close();
    });

    /** Places an order, and waits for its end. */
    const place = async (orderId: string, sku: string, cents: number) => {
      await order.get(Publisher).publish(new OrderPlaced(orderId, sku, cents));
      for (;;) {
        const instance = await order.get(Sagas).find('place-order', orderId);
        if (instance && isOver(instance)) return { status: instance.status, end: ends.get(orderId) };
        await pause(5);
      }
    };

    it('confirms an order', async () => {
      expect(await place('o1', 'mug', 900)).toEqual({ status: 'completed', end: 'confirmed' });
    });

    it('gives stock back when the card is declined, so that the next one gets it', async () => {
      const declined = { status: 'compensated', end: 'more than the card allows' };

      expect(await place('o2', 'cup', 9_000)).toEqual(declined);
      expect(await place('o3', 'cup', 9_000)).toEqual(declined);
      expect(await place('o4', 'cup', 900)).toEqual({ status: 'completed', end: 'confirmed' });
      expect(await place('o5', 'cup', 900)).toEqual({ status: 'completed', end: 'confirmed' });
      expect(await place('o6', 'cup', 900)).toEqual({ status: 'compensated', end: 'no cup left' });
    });
  });
});

async function start(module: Type, store: InMemoryPartitionStore): Promise<INestApplicationContext> {
  const testing = await Test.createTestingModule({ imports: [module] })
    .overrideProvider(PARTITION_STORE)
    .useValue(store)
    .compile();
  testing.useLogger(false);
  return testing.init();
}
