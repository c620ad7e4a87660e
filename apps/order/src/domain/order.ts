import { isDeepStrictEqual } from 'node:util';
import { NonRetryableError } from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import type { Data } from '@shop/contracts/data';
import { OrderConfirmed, OrderPlaced, OrderRejected } from '@shop/contracts/order';
import type { PaymentMethod } from '@shop/contracts/order';

/** What a customer asks for. */
export interface OrderRequest {
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly currency: string;
  readonly paymentMethod: PaymentMethod;
}

@Aggregate('order')
export class Order extends AggregateRoot {
  status: 'new' | 'placed' | 'confirmed' | 'rejected' = 'new';
  /** How it was placed; undefined while it is new. */
  placedAs: OrderPlaced | undefined;

  place(placed: Omit<Data<OrderPlaced>, 'orderId'>): void {
    this.record(new OrderPlaced({ orderId: this.id, ...placed }));
  }

  /** Whether it was placed with this very request. */
  answers({ customerId, lines, currency, paymentMethod }: OrderRequest): boolean {
    const placed = this.placedAs;
    return (
      placed?.customerId === customerId &&
      placed.total.currency === currency &&
      placed.paymentMethod === paymentMethod &&
      isDeepStrictEqual(wishes(placed.lines), wishes(lines))
    );
  }

  /** @throws NonRetryableError when it is not placed, or was rejected */
  confirm(): void {
    if (this.status === 'confirmed') return;
    this.mustBePlaced('confirmed');
    this.record(new OrderConfirmed({ orderId: this.id }));
  }

  /** @throws NonRetryableError when it is not placed, or was confirmed */
  reject(reason: string): void {
    if (this.status === 'rejected') return;
    this.mustBePlaced('rejected');
    this.record(new OrderRejected({ orderId: this.id, reason }));
  }

  @Apply(OrderPlaced) protected placed(event: OrderPlaced): void {
    this.status = 'placed';
    this.placedAs = event;
  }

  @Apply(OrderConfirmed) protected confirmed(): void {
    this.status = 'confirmed';
  }

  @Apply(OrderRejected) protected rejected(): void {
    this.status = 'rejected';
  }

  private mustBePlaced(wanted: string): void {
    if (this.status !== 'placed') {
      throw new NonRetryableError(`order ${this.id} is ${this.status}, it cannot be ${wanted}`);
    }
  }
}

function wishes(lines: OrderRequest['lines']): [string, number][] {
  return lines.map(({ sku, quantity }) => [sku, quantity]);
}
