import { BrokerModule, Handles, InMemoryPartitionStore, Publisher } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { eventually } from '../core/eventually.fixture.js';
import { isOver } from '../core/instance.js';
import { ConfirmOrder, OrderConfirmed, OrderPlaced } from '../core/place-order.fixture.js';
import { Saga } from '../core/saga-class.js';
import { saga } from '../core/dsl/saga.js';
import { scenario } from '../core/scenario.js';
import { SagaModule } from './saga.module.js';
import { Sagas } from './sagas.js';

interface State {
  orderId: string;
}

@Saga('confirm-order')
class ConfirmEveryOrder {
  readonly definition = saga<State>()
    .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
    .pivot()
    .step('confirm order', (s) => s.sends(({ orderId }) => new ConfirmOrder(orderId, 'none')).untilDone());
}

@Event('catalog.stock-counted')
class StockCounted {}

@Injectable()
class Prices {
  readonly free = 'free';
}

@Module({ providers: [Prices], exports: [Prices] })
class PricesModule {}

@Saga('give-away')
class GiveAway {
  readonly definition = saga<State>()
    .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
    .pivot()
    .step('confirm order', (s) => s.sends(({ orderId }) => new ConfirmOrder(orderId, this.prices.free)).untilDone());

  constructor(private readonly prices: Prices) {}
}

@Injectable()
class Clerk {
  readonly confirmed: ConfirmOrder[] = [];

  @Handles(ConfirmOrder)
  confirm(command: ConfirmOrder): OrderConfirmed {
    return new OrderConfirmed(this.confirmed.push(command));
  }
}

const start = async (...features: ReturnType<typeof SagaModule.forFeature>[]) => {
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({ context: 'order', store: new InMemoryPartitionStore(), blockMs: 20 }),
      ...features,
    ],
    providers: [Clerk],
  }).compile();
  return module.init();
};

describe('the saga module', () => {
  it('runs a declared saga from its event to its end, and shows the instance', async () => {
    const app = await start(SagaModule.forFeature([ConfirmEveryOrder]));
    await app.get(Publisher).publish(new OrderPlaced('4711', 990));

    const sagas = app.get(Sagas);
    const instance = await eventually(async () => {
      const found = await sagas.find<State>('confirm-order', '4711');
      return found && isOver(found) && found;
    });
    expect(instance).toMatchObject({ status: 'completed', state: { orderId: '4711' } });
    expect(app.get(Clerk).confirmed).toEqual([new ConfirmOrder('4711', 'none')]);
    await app.close();
  });

  it('lets several modules declare sagas, on the same event too', async () => {
    const app = await start(
      SagaModule.forFeature([ConfirmEveryOrder]),
      SagaModule.forFeature([GiveAway], { imports: [PricesModule] }),
    );
    await app.get(Publisher).publish(new OrderPlaced('4711', 990));

    await eventually(() => app.get(Clerk).confirmed.length === 2);
    expect(
      app
        .get(Clerk)
        .confirmed.map(({ payment }) => payment)
        .sort(),
    ).toEqual(['free', 'none']);
    await app.close();
  });

  it('refuses to start with two sagas of one name', async () => {
    @Saga('confirm-order')
    class Twin extends ConfirmEveryOrder {}

    await expect(start(SagaModule.forFeature([ConfirmEveryOrder, Twin]))).rejects.toThrow(
      "saga 'confirm-order' is declared twice",
    );
  });

  it('refuses to start with a step that is a saga which it does not run', async () => {
    @Saga('party')
    class Party {
      readonly definition = saga<State>()
        .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
        .child('order drinks', ConfirmEveryOrder, ({ orderId }) => new OrderPlaced(orderId, 1));
    }
    await expect(start(SagaModule.forFeature([Party]))).rejects.toThrow(
      "step 'order drinks' of saga 'party' is saga 'confirm-order', which this service does not run",
    );
    await (await start(SagaModule.forFeature([Party]), SagaModule.forFeature([ConfirmEveryOrder]))).close();
  });

  it('refuses, before anything starts, a saga that ends with an event of another context', async () => {
    @Saga('boast')
    class Boast {
      readonly definition = new ConfirmEveryOrder().definition.onCompleted(() => new StockCounted());
    }

    await expect(start(SagaModule.forFeature([Boast]))).rejects.toThrow(
      "onCompleted of saga 'boast' publishes catalog.stock-counted, an event of context 'catalog', and this service is 'order'",
    );
  });

  it('refuses a class without its decorator', () => {
    class Undeclared extends ConfirmEveryOrder {}

    expect(() => SagaModule.forFeature([Undeclared])).toThrow('Undeclared is not a saga');
  });
});

describe('a saga class', () => {
  it('is played by a scenario without an application', () => {
    scenario(ConfirmEveryOrder)
      .given(new OrderPlaced('4711', 990))
      .expect(new ConfirmOrder('4711', 'none'))
      .reply(new OrderConfirmed(1))
      .ends('completed');
  });

  it('cannot have a name that is no part of a key', () => {
    expect(() => Saga('Confirm order')).toThrow('cannot be used');
  });
});
