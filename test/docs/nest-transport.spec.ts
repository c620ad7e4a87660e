import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory } from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { RedisPartitionStore, RedisStreamsClient, RedisStreamsServer } from '@millrace/broker';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import {
  BillingController,
  Mailer,
  paid,
  redis,
  Shop,
  ShopModule,
  startBilling,
  startPayment,
  StatisticsController,
} from './nest-transport.js';

describe('the code of the guide to the Nest transport', () => {
  const namespace = freshNamespace();
  const order = { id: 'order-7', total: 1000 };

  // The code has one place for its Redis, as an application has: here it is the test's.
  beforeAll(() => void Object.assign(redis, { url: redisUrl(), namespace }));

  async function shop(): Promise<Shop> {
    const app = await NestFactory.createApplicationContext(ShopModule, { logger: false });
    onTestFinished(() => app.close());
    return app.get(Shop);
  }

  function client(): ClientProxy {
    const proxy = ClientProxyFactory.create({ customClass: RedisStreamsClient, options: redis });
    onTestFinished(async () => void (await proxy.close()));
    return proxy;
  }

  it('prices an order, and mails for one that was placed while billing was down', async () => {
    let billing = await startBilling();
    const desk = await shop();
    expect(await desk.place(order)).toBe(1190);
    await eventually(() => expect(billing.get(Mailer).sent).toEqual(['order-7']));
    await billing.close();

    await lastValueFrom(client().emit('order.placed', { id: 'order-8', total: 1 }), { defaultValue: undefined });
    billing = await startBilling();
    onTestFinished(() => billing.close());
    await eventually(() => expect(billing.get(Mailer).sent).toEqual(['order-8']));
  });

  it('tries a request again when its handler says so, and dead-letters what never succeeds', async () => {
    const payment = await startPayment();
    onTestFinished(() => payment.close());
    expect(await firstValueFrom(client().send('balance', {}))).toBe(100);
    client().emit('order.placed', { id: 'order-9', total: -1 });
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
    onTestFinished(() => store.close());
    await eventually(async () => {
      const letters = await Promise.all(
        [0, 1, 2, 3].map((index) => store.readDeadLetters({ context: 'nest', index }, 100)),
      );
      expect(letters.flat()).toMatchObject([{ reason: 'non-retryable', error: 'a total below zero' }]);
    });
  });

  it('gives a second handler of an event a group of its own', async () => {
    @Module({ controllers: [BillingController, StatisticsController], providers: [Mailer] })
    class BillingWithStatistics {}
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(BillingWithStatistics, {
      strategy: new RedisStreamsServer({ ...redis, group: 'counting' }),
      logger: false,
    });
    onTestFinished(() => app.close());
    await app.listen();
    client().emit('order.placed', { id: 'order-10', total: 77 });
    await eventually(() => {
      expect(app.get(Mailer).sent).toContain('order-10');
      expect(app.get(StatisticsController).totals).toContain(77);
    });
  });

  it('emits an event with an id once', async () => {
    const billing = client();
    for (let i = 0; i < 3; i++) await lastValueFrom(paid(billing, order), { defaultValue: undefined });
    const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace });
    onTestFinished(() => store.close());
    const feeds = await Promise.all([0, 1, 2, 3].map((index) => store.readFeed({ context: 'nest', index }, 0, 100)));
    expect(feeds.flat().filter(({ fields }) => fields.join().includes('"order.paid"'))).toHaveLength(1);
  });
});
