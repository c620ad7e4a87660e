/** Nest's own client: emit over Redis' pub/sub, 400 under way. */
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { ClientProxyFactory, Transport } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { ready } from '../child.mjs';
import { paced } from './latency.mjs';
import { KEYS, orderData } from './payload.mjs';

const WINDOW = 200;

// It would write to standard output, which is for results.
Logger.overrideLogger(false);

await ready(async ({ url, stream, perSecond }) => {
  const { hostname: host, port } = new URL(url);
  const client = ClientProxyFactory.create({ transport: Transport.REDIS, options: { host, port: Number(port) } });
  await client.connect();
  const emit = (number, time) =>
    lastValueFrom(client.emit(stream, orderData(number, time)), { defaultValue: undefined });
  const due = (from, times) => Promise.all(times.map((time, i) => emit((from + i) % KEYS, time)));
  return {
    send: (messages) => (perSecond ? paced(messages, perSecond, due) : send(emit, messages)),
    close: () => client.close(),
  };
});

async function send(emit, messages) {
  let underway = Promise.resolve();
  for (let i = 0; i < messages;) {
    const window = [];
    for (const end = Math.min(i + WINDOW, messages); i < end; i++) window.push(emit(i % KEYS));
    const sent = Promise.all(window);
    await underway;
    underway = sent;
  }
  await underway;
}
