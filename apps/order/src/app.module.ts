import { BrokerModule } from '@millrace/broker';
import { EventStoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { catalogHistory } from '@shop/contracts/catalog-history';
import { PARTITIONS } from '@shop/contracts/contexts';
import { createService, LedgerController, placeOf, ServiceModule } from '@shop/service';
import type { ServiceOptions } from '@shop/service';
import { OrderDesk } from './application/order-desk.js';
import { OrderHandlers } from './application/order-handlers.js';
import { ProductCopy } from './application/product-copy.js';
import { Order } from './domain/order.js';
import { KnownProductsController } from './http/known-products.controller.js';
import { OrdersController } from './http/orders.controller.js';
import { OrderList } from './read-model/order-list.js';

/** Orders, and a copy of what can be ordered. */
@Module({
  imports: [
    BrokerModule.forFeature({ stored: catalogHistory }),
    EventStoreModule.forFeature({ aggregates: [Order], projections: [OrderList] }),
    ServiceModule,
  ],
  controllers: [OrdersController, KnownProductsController, LedgerController],
  providers: [OrderDesk, OrderHandlers, ProductCopy],
})
export class OrderModule {
  static forRoot(options: ServiceOptions): DynamicModule {
    const broker = BrokerModule.forRoot({ context: 'order', partitions: PARTITIONS, ...placeOf(options) });
    return { module: OrderModule, imports: [broker] };
  }
}

/** The order service, ready to `listen()`. */
export function createApp(options: ServiceOptions = {}): Promise<INestApplication> {
  return createService('order', OrderModule.forRoot(options), options);
}
