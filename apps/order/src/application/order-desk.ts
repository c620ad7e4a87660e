import { InjectRepository, Repository } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import { Money } from '@shop/contracts/money';
import { OrderLine } from '@shop/contracts/order';
import { RefusedRequest } from '@shop/service';
import type { FieldError } from '@shop/service';
import { v4 as randomId, v5 as idFrom } from 'uuid';
import { Order } from '../domain/order.js';
import type { OrderRequest } from '../domain/order.js';
import type { KnownProduct } from '../read-model/known-product.js';
import { ProductCopy } from './product-copy.js';

/** Names of orders that come from idempotency keys (UUID version 5). */
const KEYS = '8f5d6f0e-7c1b-4f53-9d0b-3c1f0a4a6a55';

/** Takes orders. The same idempotency key leads to the same order, however often and at however many replicas. */
@Injectable()
export class OrderDesk {
  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly products: ProductCopy,
  ) {}

  /** @throws RefusedRequest 422 for what cannot be ordered, or a key that was used for another order */
  async place(request: OrderRequest, key?: string): Promise<Order> {
    const orderId = key === undefined ? randomId() : idFrom(key, KEYS);
    const known = key === undefined ? undefined : await this.orders.find(orderId);
    if (known) return same(known, request);
    const lines = await this.priced(request);
    const total = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
    const { customerId, currency, paymentMethod } = request;
    return this.orders.change(orderId, (order) => {
      if (order.version > 0) return same(order, request);
      order.place({ customerId, lines, total: new Money(total, currency), paymentMethod });
      return order;
    });
  }

  private async priced({ lines, currency }: OrderRequest): Promise<OrderLine[]> {
    const products = await Promise.all(lines.map(({ sku }) => this.products.find(sku)));
    const errors = products.flatMap((product, index) => fault(product, index, currency));
    if (errors.length > 0) throw new RefusedRequest(422, 'the order cannot be placed', errors);
    return lines.map(({ sku, quantity }, index) => new OrderLine(sku, quantity, products[index]!.price.amount));
  }
}

function fault(product: KnownProduct | undefined, index: number, currency: string): FieldError[] {
  if (!product) return [{ field: `lines.${index}.sku`, reason: 'is no product of this shop' }];
  if (product.price.currency === currency) return [];
  return [{ field: 'currency', reason: `${product.sku} is sold in ${product.price.currency}` }];
}

function same(order: Order, request: OrderRequest): Order {
  if (order.answers(request)) return order;
  const reason = 'was used for another order: send the same body, or a new key';
  throw new RefusedRequest(422, 'the idempotency key is taken', [{ field: 'Idempotency-Key', reason }]);
}
