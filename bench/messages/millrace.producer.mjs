/** A service that publishes events through Millrace's Publisher, 400 under way. */
import { NestFactory } from '@nestjs/core';
import { BrokerModule, Publisher } from '@millrace/broker';
import { ready } from '../child.mjs';
import { orderPlaced } from './contract.mjs';
import { paced } from './latency.mjs';
import { KEYS, orderData } from './payload.mjs';

const WINDOW = 200;

await ready(async ({ url, stream, validate, perSecond }) => {
  const root = BrokerModule.forRoot({
    context: 'bench',
    namespace: stream,
    redis: { url },
    validate,
    autoStart: false,
  });
  const app = await NestFactory.createApplicationContext(
    { module: class Producer {}, imports: [root] },
    { logger: false },
  );
  const publisher = app.get(Publisher);
  const due = (from, times) =>
    Promise.all(times.map((time, i) => publisher.publish(orderPlaced(orderData((from + i) % KEYS, time)))));
  return {
    send: (messages) => (perSecond ? paced(messages, perSecond, due) : send(publisher, messages)),
    close: () => app.close(),
  };
});

async function send(publisher, messages) {
  let underway = Promise.resolve();
  for (let i = 0; i < messages;) {
    const window = [];
    for (const end = Math.min(i + WINDOW, messages); i < end; i++) {
      window.push(publisher.publish(orderPlaced(orderData(i % KEYS))));
    }
    const sent = Promise.all(window);
    await underway;
    underway = sent;
  }
  await underway;
}
