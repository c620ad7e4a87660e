import { RedisStreamsClient, RedisStreamsServer } from '@millrace/broker';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxy, ClientsModule, Transport } from '@nestjs/microservices';
import type { ClientProviderOptions, MicroserviceOptions } from '@nestjs/microservices';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { BillingController, Mailbox, Shop } from './existing-app.js';

interface TransportLines {
  readonly server: MicroserviceOptions;
  readonly client: ClientProviderOptions;
}

const { hostname: host, port } = new URL(redisUrl());
const redis = { host, port: Number(port) };
const bus = { url: redisUrl(), namespace: freshNamespace() };

const LINES: [string, TransportLines][] = [
  [
    'Transport.REDIS',
    {
      server: { transport: Transport.REDIS, options: redis },
      client: { name: 'BILLING', transport: Transport.REDIS, options: redis },
    },
  ],
  [
    'RedisStreamsServer and RedisStreamsClient',
    {
      server: { strategy: new RedisStreamsServer({ group: 'billing', ...bus }) },
      client: { name: 'BILLING', customClass: RedisStreamsClient, options: bus },
    },
  ],
];

describe.each(LINES)('an application with the transport lines of %s', (_name, { server, client }) => {
  it('prices orders and mails thanks', async () => {
    @Module({ controllers: [BillingController], providers: [Mailbox] })
    class Billing {}
    const billing = await NestFactory.createMicroservice<MicroserviceOptions>(Billing, { ...server, logger: false });
    onTestFinished(() => billing.close());
    await billing.listen();

    @Module({
      imports: [ClientsModule.register([client])],
      providers: [
        { provide: Shop, inject: ['BILLING'], useFactory: (billingClient: ClientProxy) => new Shop(billingClient) },
      ],
    })
    class ShopModule {}
    const shop = await NestFactory.createApplicationContext(ShopModule, { logger: false });
    onTestFinished(() => shop.close());

    const order = {
      id: 'order-7',
      lines: [
        { sku: 'book', quantity: 2 },
        { sku: 'pen', quantity: 1 },
      ],
    };
    expect(await shop.get(Shop).place(order)).toBe(3200);
    await eventually(() => expect(billing.get(Mailbox).mails).toEqual(['thank you for order-7: 3200']));
  });
});
