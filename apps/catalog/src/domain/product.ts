import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import { ProductAdded, StockHeld, StockReturned } from '@shop/contracts/catalog';
import type { Data } from '@shop/contracts/data';
import type { Money } from '@shop/contracts/money';

/** A product with its pieces on the shelf, and those held for orders. */
@Aggregate('product')
export class Product extends AggregateRoot {
  name = '';
  price: Money | undefined;
  available = 0;
  private readonly held = new Map<string, number>();

  add(product: Data<ProductAdded>): void {
    this.record(new ProductAdded(product));
  }

  /** Takes pieces from the shelf; whoever calls it has seen that they are there. */
  hold(orderId: string, quantity: number): void {
    if (!this.held.has(orderId)) this.record(new StockHeld({ sku: this.id, orderId, quantity }));
  }

  /** Puts back whatever is held for an order. */
  giveBack(orderId: string): void {
    const quantity = this.held.get(orderId);
    if (quantity !== undefined) this.record(new StockReturned({ sku: this.id, orderId, quantity }));
  }

  @Apply(ProductAdded) protected added({ name, price, stock }: ProductAdded): void {
    this.name = name;
    this.price = price;
    this.available = stock;
  }

  @Apply(StockHeld) protected heldFor({ orderId, quantity }: StockHeld): void {
    this.available -= quantity;
    this.held.set(orderId, quantity);
  }

  @Apply(StockReturned) protected returned({ orderId, quantity }: StockReturned): void {
    this.available += quantity;
    this.held.delete(orderId);
  }
}
