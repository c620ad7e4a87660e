/** The saga with local steps, in a Nest application that publishes the orders itself. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Broker, BrokerModule, Publisher } from '@millrace/broker';
import * as sagas from '@millrace/saga';
import { ready } from '../child.mjs';
import { OrderPlaced, orderPlaced } from '../messages/contract.mjs';
import { Customer } from './customer.mjs';
import { LOCAL } from './local.mjs';
import { watchSagas } from './millrace.logs.mjs';
import { words } from './order.mjs';
import { PLACE_ORDER } from './place-order.mjs';

const { refused, Saga, saga, SagaModule } = sagas;

/** Of the orders, so that the service that publishes them can run their sagas. */
const CONTEXT = 'bench';

await ready(async (setting) => {
  if (!refused) throw new Error('this @millrace/saga has no local steps (.calls): there is nothing to compare');
  const root = BrokerModule.forRoot({
    context: CONTEXT,
    namespace: setting.namespace,
    redis: { url: setting.url },
    validate: false,
  });
  const app = await NestFactory.createApplicationContext(
    { module: class Orchestrator {}, imports: [root, SagaModule.forFeature([placeOrder(setting.delivers)])] },
    { logger: false },
  );
  const publisher = app.get(Publisher);
  const customer = new Customer((order) => publisher.publish(orderPlaced(order)), setting);
  const unwatch = await watchSagas(setting, app.get(Broker), CONTEXT, 'saga.ended', customer);
  return {
    handle: (act) => customer.run(act),
    close: async () => {
      await unwatch();
      await app.close();
    },
  };
});

function placeOrder(delivers) {
  class PlaceOrder {
    definition = saga()
      .startsOn(OrderPlaced, words.order)
      .step('reserve stock', (step) =>
        step
          .calls(LOCAL.reserveStock)
          .onResult((order, stock) => ({ ...order, ...stock }))
          .compensates(LOCAL.releaseStock),
      )
      .step('take payment', (step) =>
        step
          .calls(LOCAL.takePayment)
          .onResult((order, payment) => ({ ...order, ...payment }))
          .compensates(LOCAL.refundPayment),
      )
      .step('book delivery', (step) =>
        step
          .calls((order) => (delivers ? LOCAL.bookDelivery(order) : refused('nobody delivers there')))
          .onResult((order, delivery) => ({ ...order, ...delivery })),
      );
  }
  Saga(PLACE_ORDER)(PlaceOrder);
  return PlaceOrder;
}
