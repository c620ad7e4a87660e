import { Command, Reply } from '@millrace/messages';
import { OrderPlaced } from '../messages/contract.mjs';

export { OrderPlaced };

/** Classes as TypeScript would declare them, decorated by hand: this file runs as it is. */
class Said {
  constructor(data) {
    Object.assign(this, data);
  }
}
class Ordered extends Command {
  constructor(data) {
    super();
    Object.assign(this, data);
  }
}

export class ReserveStock extends Ordered {}
export class StockReserved extends Said {}
export class OutOfStock extends Said {}
export class ReleaseStock extends Ordered {}
export class StockReleased extends Said {}
export class TakePayment extends Ordered {}
export class PaymentTaken extends Said {}
export class PaymentDeclined extends Said {}
export class RefundPayment extends Ordered {}
export class PaymentRefunded extends Said {}
export class BookDelivery extends Ordered {}
export class DeliveryBooked extends Said {}
export class NoDelivery extends Said {}
export class RejectOrder extends Ordered {}
export class OrderRejected extends Said {}

Command('shop.reserve-stock', { key: 'orderId' })(ReserveStock);
Reply('shop.stock-reserved')(StockReserved);
Reply('shop.out-of-stock', { failure: true })(OutOfStock);
Command('shop.release-stock', { key: 'orderId' })(ReleaseStock);
Reply('shop.stock-released')(StockReleased);
Command('shop.take-payment', { key: 'orderId' })(TakePayment);
Reply('shop.payment-taken')(PaymentTaken);
Reply('shop.payment-declined', { failure: true })(PaymentDeclined);
Command('shop.refund-payment', { key: 'orderId' })(RefundPayment);
Reply('shop.payment-refunded')(PaymentRefunded);
Command('shop.book-delivery', { key: 'orderId' })(BookDelivery);
Reply('shop.delivery-booked')(DeliveryBooked);
Reply('shop.no-delivery', { failure: true })(NoDelivery);
Command('shop.reject-order', { key: 'orderId' })(RejectOrder);
Reply('shop.order-rejected')(OrderRejected);
