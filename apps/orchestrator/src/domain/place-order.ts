import { saga, Saga } from '@millrace/saga';
import { OutOfStock, ReleaseStock, ReserveStock, StockLine, StockReserved } from '@shop/contracts/catalog';
import { Money } from '@shop/contracts/money';
import { ConfirmOrder, OrderPlaced, RejectOrder } from '@shop/contracts/order';
import type { PaymentMethod } from '@shop/contracts/order';
import {
  AuthorizePayment,
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentNotCaptured,
  RefundPayment,
  VoidPayment,
} from './payment-words.js';

export const PLACE_ORDER = 'place-order';

interface OrderInHand {
  readonly orderId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly total: { readonly amount: number; readonly currency: string };
  readonly method: PaymentMethod;
}

/** From a placed order to a confirmed or a rejected one. The order is sure once its payment is captured. */
@Saga(PLACE_ORDER)
export class PlaceOrder {
  readonly definition = saga<OrderInHand>()
    .startsOn(OrderPlaced, ({ orderId, lines, total, paymentMethod: method }) => ({
      orderId,
      lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      total,
      method,
    }))
    .step('reserve stock', (step) =>
      step
        .sends(({ orderId, lines }) => {
          return new ReserveStock({ orderId, lines: lines.map(({ sku, quantity }) => new StockLine(sku, quantity)) });
        })
        .onReply(StockReserved)
        .failsOn(OutOfStock, (_order, { reason }) => reason)
        .compensates(({ orderId }) => new ReleaseStock({ orderId }))
        .within('10s')
        .retries(2),
    )
    .step('authorize payment', (step) =>
      step
        .sends(({ orderId, total: { amount, currency }, method }) => {
          return new AuthorizePayment({ orderId, total: new Money(amount, currency), method });
        })
        .onReply(PaymentAuthorized)
        .failsOn(PaymentDeclined, (_order, { reason }) => reason)
        .compensates(({ orderId }) => new VoidPayment({ orderId }))
        .within('1.5s'),
    )
    .step('capture payment', (step) =>
      step
        .sends(({ orderId }) => new CapturePayment({ orderId }))
        .onReply(PaymentCaptured)
        .failsOn(PaymentNotCaptured, (_order, { reason }) => reason)
        .compensates(({ orderId }) => new RefundPayment({ orderId }))
        .within('1.5s'),
    )
    .pivot()
    .step('confirm order', (step) => step.sends(({ orderId }) => new ConfirmOrder({ orderId })).untilDone())
    .onCompensated(({ orderId }, { reason }) => new RejectOrder({ orderId, reason }));
}
