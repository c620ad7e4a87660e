/** The service that runs the saga, in a Nest application as its user would write it. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { BrokerModule } from '@millrace/broker';
import { SagaModule } from '@millrace/saga';
import { ready } from '../child.mjs';
import { PLACE_ORDER, placeOrder } from './place-order.mjs';

await ready(async ({ url, namespace }) => {
  const root = BrokerModule.forRoot({ context: PLACE_ORDER, namespace, redis: { url }, validate: false });
  const app = await NestFactory.createApplicationContext(
    { module: class Orchestrator {}, imports: [root, SagaModule.forFeature([placeOrder()])] },
    { logger: false },
  );
  return { close: () => app.close() };
});
