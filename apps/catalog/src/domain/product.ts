import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import { ProductAdded, StockHeld, StockReturned } from '@shop/contracts/catalog';
import type { Data } from '@shop/contracts/data';
import { Money } from '@shop/contracts/money';

/**
 * A product with its pieces on the shelf, and those held for orders. Its snapshot grows with the orders, so it is taken the more
 * rarely the more there are.
 */
@Aggregate('product', { snapshot: { when: ({ orders }: Product, since) => since >= 50 + orders / 2 } })
export class Product extends AggregateRoot {
  name = '';
  price: Money | undefined;
  available = 0;
  private held = new Map<string, number>();

  /** How many orders it is held for. */
  get orders(): number {
    return this.held.size;
  }

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

  toSnapshot() {
    const { name, price, available, held } = this;
    return { name, price: price && { ...price }, available, held: [...held] };
  }

  fromSnapshot({ name, price, available, held }: ReturnType<Product['toSnapshot']>): void {
    this.name = name;
    this.price = price && new Money(price.amount, price.currency);
    this.available = available;
    this.held = new Map(held);
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
