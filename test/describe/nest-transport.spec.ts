import { Parser } from '@asyncapi/parser';
import { Controller, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import {
  asyncApi,
  BrokerModule,
  ConfigurationError,
  describe as describeApp,
  InMemoryPartitionStore,
  On,
  REDIS_STREAMS,
  RedisStreamsServer,
  topologyText,
} from '@millrace/broker';
import { Event } from '@millrace/messages';
import { onTestFinished } from '../support/redis.js';

@Event('order.placed')
class Placed {}

@Injectable()
class Desk {
  @On(Placed) placed(): void {}
}

@Controller()
class Billing {
  @MessagePattern({ cmd: 'tax' }, REDIS_STREAMS) tax(): void {}
  @EventPattern<string[]>(['order.placed', 'order.paid']) thank(): void {}
  @EventPattern<string>('order.placed', Transport.TCP) elsewhere(): void {}
}

@Controller()
class Statistics {
  @EventPattern<string>('order.placed', { group: 'statistics' }) count(): void {}
}

const store = new InMemoryPartitionStore();
const BILLING = `
nest, 2 partitions
  sends
    nothing
  receives
    order.paid     from nest feed  group nest.billing             by Billing.thank
    order.placed   from nest feed  group nest.billing             by Billing.thank
    order.placed   from nest feed  group nest.billing.statistics  by Statistics.count
    {"cmd":"tax"}  from nest in    group nest.billing:requests    by Billing.tax
`.replace('nest, ', "nest (connection 'transport billing'), ");

const server = () => new RedisStreamsServer({ group: 'billing', partitions: 2, namespace: 'bus', store });

@Module({ controllers: [Billing, Statistics] })
class BillingModule {}

@Module({
  imports: [BrokerModule.forRoot({ context: 'order', partitions: 1, store })],
  controllers: [Billing, Statistics],
  providers: [Desk],
})
class HybridModule {}

async function hybrid() {
  const app = await NestFactory.create(HybridModule, { logger: false });
  onTestFinished(() => app.close());
  app.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP });
  app.connectMicroservice<MicroserviceOptions>({ strategy: server() });
  return app;
}

describe('handlers of the Nest transport', () => {
  it('stand in the topology of a microservice that has nothing else, started or not', async () => {
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(BillingModule, {
      strategy: server(),
      logger: false,
    });
    onTestFinished(() => app.close());
    const look = () => describeApp(app).map((each) => `\n${topologyText(each)}\n`);
    expect(look()).toEqual([BILLING]);
    await app.listen();
    expect(look()).toEqual([BILLING]);
  });

  it('stand beside those of the connections of a hybrid application', async () => {
    const [order, billing] = describeApp(await hybrid());
    expect(topologyText(order!)).toMatch(/order\.placed +from order feed +group order +by Desk\.placed/);
    expect(`\n${topologyText(billing!)}\n`).toBe(BILLING);
  });

  it('have channels and operations in the AsyncAPI document, requests with where the answer goes', async () => {
    const document = await asyncApi(await hybrid());
    const { document: read, diagnostics } = await new Parser().parse(JSON.stringify(document));
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    const operations = read!.operations().all();
    expect(operations.map((each) => [each.id(), each.channels().all()[0]!.address()])).toEqual([
      ['receive-order-placed-order', 'millrace:order:{partition}:feed'],
      ['receive-nest-order-placed-nest-billing', 'bus:nest:{partition}:feed'],
      ['receive-nest-order-placed-nest-billing-statistics', 'bus:nest:{partition}:feed'],
      ['receive-nest-order-paid-nest-billing', 'bus:nest:{partition}:feed'],
      ['receive-nest-cmd-tax-nest-billing-requests', 'bus:nest:{partition}:in'],
    ]);
    expect(operations.map((each) => each.reply()?.address()?.location())).toEqual([
      ...[undefined, undefined, undefined, undefined, '$message.header#/replyto'],
    ]);
    const tax = operations[4]!.messages().all()[0]!;
    expect(tax.name()).toBe('{"cmd":"tax"}');
    expect(tax.payload()!.required()).toEqual(['pattern', 'data']);
  });

  it('are refused where two of one event would be repeated together', async () => {
    @Controller()
    class Twice {
      @EventPattern<string>('order.placed') again(): void {}
    }
    @Module({ controllers: [Billing, Twice] })
    class TwiceModule {}
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(TwiceModule, {
      strategy: server(),
      logger: false,
    });
    onTestFinished(() => app.close());
    expect(() => describeApp(app)).toThrow(ConfigurationError);
  });
});
