/** The service that does what the saga asks for: every command is answered, in one commit with its acknowledgement. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { BrokerModule, Handles } from '@millrace/broker';
import { ready } from '../child.mjs';
import { decorate } from '../event-store/model.mjs';
import {
  BookDelivery,
  DeliveryBooked,
  NoDelivery,
  OrderRejected,
  PaymentRefunded,
  PaymentTaken,
  RefundPayment,
  RejectOrder,
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
  TakePayment,
} from './contract.mjs';
import { words } from './order.mjs';

await ready(async ({ url, namespace, delivers }) => {
  class Shop {
    reserve(command) {
      return new StockReserved(words.stockReserved(command));
    }
    release() {
      return new StockReleased(words.nothing());
    }
    take(command) {
      return new PaymentTaken(words.paymentTaken(command));
    }
    refund() {
      return new PaymentRefunded(words.nothing());
    }
    book(command) {
      return delivers ? new DeliveryBooked(words.deliveryBooked(command)) : new NoDelivery(words.noDelivery());
    }
    reject() {
      return new OrderRejected(words.nothing());
    }
  }
  decorate(Shop, 'reserve', Handles(ReserveStock));
  decorate(Shop, 'release', Handles(ReleaseStock));
  decorate(Shop, 'take', Handles(TakePayment));
  decorate(Shop, 'refund', Handles(RefundPayment));
  decorate(Shop, 'book', Handles(BookDelivery));
  decorate(Shop, 'reject', Handles(RejectOrder));
  const root = BrokerModule.forRoot({ context: 'shop', namespace, redis: { url }, validate: false });
  const app = await NestFactory.createApplicationContext(
    { module: class Participants {}, imports: [root], providers: [Shop] },
    { logger: false },
  );
  return { close: () => app.close() };
});
