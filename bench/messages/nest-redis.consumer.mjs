/** A Nest microservice with Redis' pub/sub as its transport and one decorated handler. Nothing is kept or acknowledged. */
import 'reflect-metadata';
import { Controller } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload, Transport } from '@nestjs/microservices';
import { ready } from '../child.mjs';
import { Latencies } from './latency.mjs';

await ready(async ({ url, stream, perSecond }) => {
  const latencies = new Latencies();
  const counter = { handled: 0, total: 0, wanted: Infinity, finish: () => undefined };
  class Orders {
    placed(event) {
      counter.total += event.total;
      if (perSecond) latencies.record(event.note);
      if (++counter.handled === counter.wanted) counter.finish();
    }
  }
  const method = Object.getOwnPropertyDescriptor(Orders.prototype, 'placed');
  EventPattern(stream)(Orders.prototype, 'placed', method);
  Payload()(Orders.prototype, 'placed', 0);
  Controller()(Orders);
  const { hostname: host, port } = new URL(url);
  const app = await NestFactory.createMicroservice(
    { module: class Consumer {}, controllers: [Orders] },
    { transport: Transport.REDIS, options: { host, port: Number(port) }, logger: false },
  );
  await app.listen();
  return { handle: (messages) => handle(counter, messages, latencies, perSecond), close: () => app.close() };
});

async function handle(counter, messages, latencies, perSecond) {
  counter.handled = 0;
  counter.wanted = messages;
  await new Promise((resolve) => (counter.finish = resolve));
  if (counter.total === 0) throw new Error('nothing was handled');
  return perSecond ? latencies.take() : undefined;
}
