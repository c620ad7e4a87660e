import { saga, Saga } from '@millrace/saga';
import {
  BookDelivery,
  DeliveryBooked,
  NoDelivery,
  OrderPlaced,
  OutOfStock,
  PaymentDeclined,
  PaymentTaken,
  RefundPayment,
  RejectOrder,
  ReleaseStock,
  ReserveStock,
  StockReserved,
  TakePayment,
} from './contract.mjs';
import { words } from './order.mjs';

export const PLACE_ORDER = 'place-order';

/**
 * The saga of three steps, two of which are undone when the third is refused; then a last command.
 *
 * @param within how long a participant may take for each of them
 * @param keyed whether it is found by a business key, too
 */
export function placeOrder(within = '30s', keyed = false) {
  class PlaceOrder {
    definition = saga()
      .startsOn(OrderPlaced, words.order)
      .step('reserve stock', (step) =>
        step
          .sends((order) => new ReserveStock(words.reserveStock(order)))
          .onReply(StockReserved, (order, { reservation }) => ({ ...order, reservation }))
          .failsOn(OutOfStock)
          .compensates((order) => new ReleaseStock(words.releaseStock(order)))
          .within(within),
      )
      .step('take payment', (step) =>
        step
          .sends((order) => new TakePayment(words.takePayment(order)))
          .onReply(PaymentTaken, (order, { payment }) => ({ ...order, payment }))
          .failsOn(PaymentDeclined)
          .compensates((order) => new RefundPayment(words.refundPayment(order)))
          .within(within),
      )
      .step('book delivery', (step) =>
        step
          .sends((order) => new BookDelivery(words.bookDelivery(order)))
          .onReply(DeliveryBooked, (order, { delivery }) => ({ ...order, delivery }))
          .failsOn(NoDelivery, (_order, { reason }) => reason)
          .within(within),
      )
      .keys(({ orderId }) => (keyed ? { order: orderId } : {}))
      .onCompensated((order, { reason }) => new RejectOrder(words.rejectOrder(order, reason)));
  }
  Saga(PLACE_ORDER)(PlaceOrder);
  return PlaceOrder;
}
