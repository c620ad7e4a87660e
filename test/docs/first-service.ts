/** The code of docs/guides/first-service.md, region by region. The specs beside it compare, compile and run it. */

// #region saga
import { Saga, saga } from '@millrace/saga';
import {
  Charge,
  Charged,
  ConfirmOrder,
  Declined,
  OrderPlaced,
  OutOfStock,
  Refund,
  RejectOrder,
  ReleaseStock,
  ReserveStock,
  StockReserved,
} from './messages.js';

@Saga('place-order')
export class PlaceOrder {
  readonly definition = saga<{ orderId: string; sku: string; cents: number }>()
    .startsOn(OrderPlaced, ({ orderId, sku, cents }) => ({ orderId, sku, cents }))
    .step('reserve stock', (step) =>
      step
        .sends(({ sku, orderId }) => new ReserveStock(sku, orderId))
        .onReply(StockReserved)
        .failsOn(OutOfStock, (_order, { reason }) => reason)
        .compensates(({ sku, orderId }) => new ReleaseStock(sku, orderId)),
    )
    .step('charge the card', (step) =>
      step
        .sends(({ orderId, cents }) => new Charge(orderId, cents))
        .onReply(Charged)
        .failsOn(Declined, (_order, { reason }) => reason)
        .compensates(({ orderId }) => new Refund(orderId)),
    )
    .pivot()
    .step('confirm order', (step) => step.sends(({ orderId }) => new ConfirmOrder(orderId)).untilDone())
    .onCompensated(({ orderId }, { reason }) => new RejectOrder(orderId, reason));
}
// #endregion

// #region aggregate
import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import { StockFreed, StockHeld, StockReleased } from './messages.js';

@Aggregate('product')
class Product extends AggregateRoot {
  private available = 2;
  private readonly orders = new Map<string, 'held' | 'freed'>();

  reserve(orderId: string): StockReserved | OutOfStock {
    if (this.orders.get(orderId) === 'held') return new StockReserved(orderId); // asked twice
    if (this.orders.has(orderId)) return new OutOfStock('the reservation was released before it was made');
    if (this.available === 0) return new OutOfStock(`no ${this.id} left`);
    this.record(new StockHeld(this.id, orderId));
    return new StockReserved(orderId);
  }

  release(orderId: string): StockReleased {
    if (this.orders.get(orderId) !== 'freed') this.record(new StockFreed(this.id, orderId));
    return new StockReleased(orderId);
  }

  @Apply(StockHeld) protected held({ orderId }: StockHeld): void {
    this.available--;
    this.orders.set(orderId, 'held');
  }

  @Apply(StockFreed) protected freed({ orderId }: StockFreed): void {
    if (this.orders.get(orderId) === 'held') this.available++;
    this.orders.set(orderId, 'freed');
  }
}
// #endregion

// #region service
import { BrokerModule, Handles } from '@millrace/broker';
import { EventStoreModule, InjectRepository, Repository } from '@millrace/event-store';
import { Injectable, Module } from '@nestjs/common';

@Injectable()
class StockHandlers {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  @Handles(ReserveStock) // events, reply and acknowledgement: one commit
  reserve({ sku, orderId }: ReserveStock): Promise<StockReserved | OutOfStock> {
    return this.products.change(sku, (product) => product.reserve(orderId));
  }

  @Handles(ReleaseStock)
  release({ sku, orderId }: ReleaseStock): Promise<StockReleased> {
    return this.products.change(sku, (product) => product.release(orderId));
  }
}

@Module({
  imports: [
    BrokerModule.forRoot({ context: 'catalog', redis: { url: 'redis://127.0.0.1:6379' } }),
    EventStoreModule.forFeature({ aggregates: [Product] }),
  ],
  providers: [StockHandlers],
})
export class CatalogModule {}
// #endregion
