/** A service that keeps its feeds short, and tells what its heap weighs when everything is handled and trimmed. */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { BrokerModule, BrokerMonitor, On } from '@millrace/broker';
import { ready } from '../child.mjs';
import { OrderPlaced } from '../messages/contract.mjs';

const KEPT = 1_000;

await ready(async ({ url, stream, validate }) => {
  class Orders {
    total = 0;

    placed(event) {
      this.total += event.total;
    }
  }
  On(OrderPlaced)(Orders.prototype, 'placed', Object.getOwnPropertyDescriptor(Orders.prototype, 'placed'));
  const root = BrokerModule.forRoot({
    context: 'bench',
    namespace: stream,
    redis: { url },
    validate,
    retention: { feed: { maxLength: KEPT }, everyMs: 100 },
  });
  const app = await NestFactory.createApplicationContext(
    { module: class Consumer {}, imports: [root], providers: [Orders] },
    { logger: false },
  );
  let expected = 0;
  return {
    handle: async (messages) => {
      await idle(app.get(BrokerMonitor), (expected += messages));
      for (let i = 0; i < 3; i++) globalThis.gc();
      return { heapBytes: process.memoryUsage().heapUsed };
    },
    close: () => app.close(),
  };
});

/** Resolves when so many events have been published, all are acknowledged, and the feeds are trimmed. */
async function idle(monitor, events) {
  for (;;) {
    const { own } = await monitor.inspect();
    const feeds = own.map(({ logs }) => logs.find(({ log }) => log === 'feed'));
    const published = feeds.reduce((sum, { last }) => sum + Number(last?.slice(2) ?? 0), 0);
    const open = own.flatMap(({ followers }) => followers).reduce((sum, { lag, pending }) => sum + lag + pending, 0);
    if (published === events && open === 0 && feeds.every(({ length }) => length <= KEPT)) return;
    await sleep(20);
  }
}
