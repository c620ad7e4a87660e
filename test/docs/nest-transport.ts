/** The code of docs/guides/nest-transport.md, region by region. The specs beside it compare, compile and run it. */

// #region handlers
import { Controller, Inject, Injectable, Module } from '@nestjs/common';
import { ClientProxy, ClientsModule, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';

export interface Order {
  readonly id: string;
  readonly total: number;
}

@Injectable()
export class Mailer {
  readonly sent: string[] = [];
}

@Controller()
export class BillingController {
  constructor(@Inject(Mailer) private readonly mailer: Mailer) {}

  @MessagePattern({ cmd: 'tax' })
  tax(@Payload() { total }: Order): number {
    return Math.round(total * 0.19);
  }

  @EventPattern('order.placed')
  async thank(@Payload() { id }: Order): Promise<void> {
    this.mailer.sent.push(id);
  }
}

@Module({ controllers: [BillingController], providers: [Mailer] })
export class BillingModule {}
// #endregion

// #region server
import { RedisStreamsServer } from '@millrace/broker';
import { NestFactory } from '@nestjs/core';

export const redis = { url: process.env['REDIS_URL'] ?? 'redis://localhost:6379' };

export async function startBilling() {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(BillingModule, {
    strategy: new RedisStreamsServer({ ...redis, group: 'billing' }), // was: transport: Transport.REDIS, options: { ... }
  });
  app.enableShutdownHooks();
  await app.listen();
  return app;
}
// #endregion

// #region client
import { RedisStreamsClient } from '@millrace/broker';

@Injectable()
export class Shop {
  constructor(@Inject('BILLING') private readonly billing: ClientProxy) {}

  async place(order: Order): Promise<number> {
    const tax = await firstValueFrom(this.billing.send<number>({ cmd: 'tax' }, order));
    await firstValueFrom(this.billing.emit('order.placed', order), { defaultValue: undefined }); // stored from here on
    return order.total + tax;
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'BILLING', customClass: RedisStreamsClient, options: redis }])],
  providers: [Shop],
})
export class ShopModule {}
// #endregion

// #region failures
import { NonRetryableError, RedisStreamsExceptionFilter, RetryableError } from '@millrace/broker';

@Controller()
export class PaymentController {
  private attempts = 0;

  @EventPattern('order.placed')
  charge(@Payload() { total }: Order): void {
    if (total < 0) throw new NonRetryableError('a total below zero'); // dead-lettered at once
  }

  @MessagePattern('balance')
  balance(): number {
    if (++this.attempts === 1) throw new RetryableError('the bank does not answer', { afterMs: 10 }); // again, unseen
    return 100;
  }
}

@Module({ controllers: [PaymentController] })
export class PaymentModule {}

export async function startPayment() {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(PaymentModule, {
    strategy: new RedisStreamsServer({ ...redis, group: 'payment', retry: { attempts: 3 } }),
  });
  app.useGlobalFilters(new RedisStreamsExceptionFilter());
  await app.listen();
  return app;
}
// #endregion

// #region groups
@Controller()
export class StatisticsController {
  readonly totals: number[] = [];

  @EventPattern('order.placed', { group: 'statistics' })
  count(@Payload() { total }: Order): void {
    this.totals.push(total);
  }
}
// #endregion

// #region order
import { RedisStreamsRecordBuilder } from '@millrace/broker';

export function paid(billing: ClientProxy, order: Order) {
  const record = new RedisStreamsRecordBuilder(order)
    .setKey(order.id) // in order with all messages of this key
    .setId(`paid-${order.id}`) // once, however often it is tried
    .build();
  return billing.emit('order.paid', record);
}
// #endregion
