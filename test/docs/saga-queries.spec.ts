import { BrokerModule, InMemoryPartitionStore, Publisher } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { Saga, saga, Sagas } from '@millrace/saga';
import { Test } from '@nestjs/testing';
import { IsString } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { course, keptForAMonth, picture, SagaDesk } from './saga-queries.js';

@Event('shop.ordered', { key: 'order' })
class Ordered {
  @IsString() readonly order: string;
  @IsString() readonly customer: string;

  constructor(order: string, customer: string) {
    this.order = order;
    this.customer = customer;
  }
}
@Event('shop.paid', { key: 'order' })
class Paid {
  @IsString() readonly order: string;

  constructor(order: string) {
    this.order = order;
  }
}

@Saga('deliver')
class Deliver {
  readonly definition = saga<{ order: string; customer: string }>()
    .startsOn(Ordered, ({ order, customer }) => ({ order, customer }))
    .waitFor('payment', Paid)
    .within('30m')
    .keys(({ customer }) => ({ customer }));
}

describe('the guide to finding sagas', () => {
  it('finds, counts, tells and moves sagas, and draws them', async () => {
    const module = await Test.createTestingModule({
      imports: [
        BrokerModule.forRoot({ context: 'shop', store: new InMemoryPartitionStore(), blockMs: 20 }),
        keptForAMonth(Deliver),
      ],
      providers: [SagaDesk],
    }).compile();
    const app = await module.init();
    onTestFinished(() => app.close());
    const [desk, sagas] = [app.get(SagaDesk), app.get(Sagas)];
    await app.get(Publisher).publish(new Ordered('o1', 'c1'));
    await eventually(async () => expect((await desk.at(Deliver, 'payment')).sagas).toHaveLength(1));

    expect((await desk.ofCustomer(Deliver, 'c1')).sagas).toMatchObject([{ id: 'o1', state: { customer: 'c1' } }]);
    expect((await desk.ofCustomer(Deliver, 'c2')).sagas).toEqual([]);
    expect((await desk.parked()).sagas).toEqual([]);
    expect((await desk.urgent()).sagas).toMatchObject([{ id: 'o1' }]);
    expect(await desk.counts()).toMatchObject({ running: 1, completed: 0 });

    await desk.giveMoreTime('deliver', 'o1', new Date(Date.now() + 7_200_000));
    expect((await desk.urgent()).sagas).toEqual([]);
    const past = await desk.past('deliver', 'o1', new Date());
    expect(past?.state).toEqual({ order: 'o1', customer: 'c1' });
    expect(past?.told).toContain('deadline-moved');

    await app.get(Publisher).publish(new Paid('o1'));
    await eventually(async () => expect((await desk.counts()).completed).toBe(1));
    expect(await sagas.removeEnded()).toBe(0);
    expect(await course(sagas, 'deliver', 'o1')).toMatch(/section payment\n {4}do :done, /);
    expect(picture(new Deliver())).toContain('payment (wait for shop.paid)');
  });
});
