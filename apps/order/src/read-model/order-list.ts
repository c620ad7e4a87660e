import type { MessageContext } from '@millrace/broker';
import { Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { OrderConfirmed, OrderPlaced, OrderRejected } from '@shop/contracts/order';
import type { ListedOrder } from './listed-order.js';

type Rows = View<ListedOrder>;

/** By when they were placed: among all orders, and among those of their status. */
export const orderIndexes = {
  placed: ({ status, placedAt = '' }: ListedOrder) => [`all ${placedAt}`, `${status} ${placedAt}`],
};

@Projection('orders', { version: 2, indexes: orderIndexes })
export class OrderList {
  @Projects(OrderPlaced)
  placed(
    { orderId, customerId, lines, total, paymentMethod }: OrderPlaced,
    view: Rows,
    { envelope }: MessageContext,
  ): void {
    const placedAt = envelope.time ?? '';
    view.put(orderId, { orderId, status: 'placed', customerId, lines, total, paymentMethod, placedAt });
  }

  @Projects(OrderConfirmed)
  confirmed({ orderId }: OrderConfirmed, view: Rows, { envelope }: MessageContext): Promise<void> {
    return end(view, orderId, { status: 'confirmed', endedAt: envelope.time ?? '' });
  }

  @Projects(OrderRejected)
  rejected({ orderId, reason }: OrderRejected, view: Rows, { envelope }: MessageContext): Promise<void> {
    return end(view, orderId, { status: 'rejected', reason, endedAt: envelope.time ?? '' });
  }
}

function end(view: Rows, orderId: string, ending: Partial<ListedOrder>): Promise<void> {
  return view.update(orderId, (order) => {
    if (!order) throw new Error(`order ${orderId} ends, but was never placed`);
    return { ...order, ...ending };
  });
}
