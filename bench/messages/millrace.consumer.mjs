/** A service with one decorated handler, in a Nest application as its user would write it. */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { BrokerModule, On, PARTITION_STORE } from '@millrace/broker';
import { ready } from '../child.mjs';
import { OrderPlaced } from './contract.mjs';
import { Latencies } from './latency.mjs';

await ready(async ({ url, stream, validate, perSecond, concurrency = 64 }) => {
  const latencies = perSecond && new Latencies();
  const counter = { handled: 0, total: 0, wanted: Infinity, finish: () => undefined };
  class Orders {
    placed(event) {
      counter.total += event.total;
      latencies?.record(event.note);
      if (++counter.handled === counter.wanted) counter.finish();
    }
  }
  const method = Object.getOwnPropertyDescriptor(Orders.prototype, 'placed');
  On(OrderPlaced)(Orders.prototype, 'placed', method);
  const root = BrokerModule.forRoot({ context: 'bench', namespace: stream, redis: { url }, validate, concurrency });
  const app = await NestFactory.createApplicationContext(
    { module: class Consumer {}, imports: [root], providers: [Orders] },
    { logger: false },
  );
  return {
    handle: (messages) => handle(app.get(PARTITION_STORE), counter, messages, latencies),
    close: () => app.close(),
  };
});

async function handle(store, counter, messages, latencies) {
  counter.handled = 0;
  counter.wanted = messages;
  await new Promise((resolve) => (counter.finish = resolve));
  // Handled is not done: it counts when every acknowledgement is in Redis.
  const sources = [0, 1, 2, 3].map((index) => ({ partition: { context: 'bench', index }, log: 'feed' }));
  for (;;) {
    const backlogs = await Promise.all(sources.map((source) => store.backlog(source, 'bench')));
    if (backlogs.every(({ pending, waiting }) => pending === 0 && waiting === 0)) break;
    await sleep(1);
  }
  if (counter.total === 0) throw new Error('nothing was handled');
  return latencies?.take();
}
