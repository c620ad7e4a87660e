import { BrokerModule } from '@millrace/broker';
import { EventStoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { catalogHistory } from '@shop/contracts/catalog-history';
import { PARTITIONS } from '@shop/contracts/contexts';
import { createService, LedgerController, placeOf, ServiceModule } from '@shop/service';
import type { ServiceOptions } from '@shop/service';
import { StockHandlers } from './application/stock-handlers.js';
import { Product } from './domain/product.js';
import { reservation } from './domain/reservation.js';
import { ProductsController } from './http/products.controller.js';
import { ProductList } from './read-model/product-list.js';

/** Products and their stock. One partition, so that all products of an order are reserved in one commit. */
@Module({
  imports: [
    BrokerModule.forFeature({ stored: catalogHistory }),
    EventStoreModule.forFeature({ aggregates: [Product, reservation], projections: [ProductList] }),
    ServiceModule,
  ],
  controllers: [ProductsController, LedgerController],
  providers: [StockHandlers],
})
export class CatalogModule {
  static forRoot(options: ServiceOptions): DynamicModule {
    const broker = BrokerModule.forRoot({
      context: 'catalog',
      partitions: PARTITIONS,
      // Orders for the same product compete for its version; more at a time would mostly decide anew.
      concurrency: 4,
      ...placeOf(options),
    });
    return { module: CatalogModule, imports: [broker] };
  }
}

/** The catalog service, ready to `listen()`. */
export function createApp(options: ServiceOptions = {}): Promise<INestApplication> {
  return createService('catalog', CatalogModule.forRoot(options), options);
}
