/** A service whose sagas all wait for the first of their participants; it starts others, and finds some. */
import 'reflect-metadata';
import { Redis } from 'ioredis';
import { NestFactory } from '@nestjs/core';
import { Broker, BrokerModule, Publisher } from '@millrace/broker';
import { SagaModule, Sagas } from '@millrace/saga';
import { medianTime } from '../by-size.mjs';
import { ready } from '../child.mjs';
import { orderPlaced } from '../messages/contract.mjs';
import { orderData } from '../messages/payload.mjs';
import { Customer } from './customer.mjs';
import { logsOf, watchSagas } from './millrace.logs.mjs';
import { PLACE_ORDER, placeOrder } from './place-order.mjs';

/** Of the orders, so that the service that publishes them can run their sagas. */
const CONTEXT = 'bench';
const IN_FLIGHT = 500;
/** Sagas from all over are found, not neighbours: a prime number. */
const STRIDE = 7919;

await ready(async ({ url, namespace, size }) => {
  const root = BrokerModule.forRoot({ context: CONTEXT, namespace, redis: { url }, validate: false });
  const app = await NestFactory.createApplicationContext(
    { module: class Orchestrator {}, imports: [root, SagaModule.forFeature([placeOrder('30d', true)])] },
    { logger: false },
  );
  const [publisher, sagas] = [app.get(Publisher), app.get(Sagas)];
  const redis = new Redis(url);
  const broker = app.get(Broker);
  const customer = new Customer((order) => publisher.publish(orderPlaced(order)), {});
  const unwatch = await watchSagas({ url, namespace }, broker, CONTEXT, 'saga.started', customer);
  const fill = async () => {
    await customer.run({ sagas: size, inFlight: IN_FLIGHT });
    // What the sagas have published and sent is weighed with messages; here it would hide the sagas.
    const logs = await Promise.all([
      logsOf(broker, namespace, CONTEXT, 'feed'),
      logsOf(broker, namespace, 'shop', 'in'),
    ]);
    for (const log of logs.flat()) await redis.xtrim(log, 'MAXLEN', 0);
  };
  let from = 0;
  return {
    handle: async (acts) => {
      if (acts === 'fill') return fill();
      const start = await medianTime(from, acts, () => customer.run({ sagas: 1, inFlight: 1 }));
      const find = await medianTime(from, acts, async (n) => {
        const { orderId } = orderData((n * STRIDE) % size);
        const found = await sagas.find(PLACE_ORDER, orderId);
        if (found?.state.orderId !== orderId) throw new Error(`saga ${orderId} is not to be found`);
      });
      const findByKey = await medianTime(from, acts, async (n) => {
        const { orderId } = orderData((n * STRIDE) % size);
        const { sagas: found } = await sagas.list({ saga: PLACE_ORDER, key: { order: orderId } });
        if (found[0]?.id !== orderId) throw new Error(`saga of order ${orderId} is not to be found`);
      });
      from += acts;
      return { start, find, findByKey };
    },
    close: async () => {
      await unwatch();
      await app.close();
      await redis.quit();
    },
  };
});
