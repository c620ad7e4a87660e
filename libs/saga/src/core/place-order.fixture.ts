import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import { saga } from './dsl/saga.js';

/** The saga of the tests: two steps that can be undone, one that cannot (nothing to undo), and one after the pivot. */
@Event('order.placed', { key: 'orderId' })
export class OrderPlaced {
  @IsString() readonly orderId: string;
  @IsInt() readonly total: number;

  constructor(orderId: string, total: number) {
    this.orderId = orderId;
    this.total = total;
  }
}

@Reply('catalog.stock-reserved')
export class StockReserved {
  @IsString() readonly reservation: string;

  constructor(reservation: string) {
    this.reservation = reservation;
  }
}

@Reply('catalog.out-of-stock', { failure: true })
export class OutOfStock {
  @IsString() readonly sku: string;

  constructor(sku: string) {
    this.sku = sku;
  }
}

@Reply('catalog.stock-released')
export class StockReleased {
  @IsString() readonly releasedFor: string;

  constructor(releasedFor: string) {
    this.releasedFor = releasedFor;
  }
}

@Command('catalog.reserve-stock', { key: 'orderId' })
export class ReserveStock extends Command<StockReserved, OutOfStock> {
  constructor(readonly orderId: string) {
    super();
  }
}

@Command('catalog.release-stock', { key: 'orderId' })
export class ReleaseStock extends Command<StockReleased> {
  constructor(readonly orderId: string) {
    super();
  }
}

@Reply('customer.credit-checked')
export class CreditChecked {
  @IsString() readonly rating: string;

  constructor(rating: string) {
    this.rating = rating;
  }
}

@Reply('customer.not-creditworthy', { failure: true })
export class NotCreditworthy {
  @IsString() readonly because: string;

  constructor(because: string) {
    this.because = because;
  }
}

@Command('customer.check-credit', { key: 'orderId' })
export class CheckCredit extends Command<CreditChecked, NotCreditworthy> {
  constructor(
    readonly orderId: string,
    readonly total: number,
  ) {
    super();
  }
}

@Reply('payment.captured')
export class PaymentCaptured {
  @IsString() readonly payment: string;

  constructor(payment: string) {
    this.payment = payment;
  }
}

@Reply('payment.declined', { failure: true })
export class PaymentDeclined {
  @IsString() readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

@Reply('payment.refunded')
export class PaymentRefunded {
  @IsString() readonly refund: string;

  constructor(refund: string) {
    this.refund = refund;
  }
}

@Reply('payment.not-refundable', { failure: true })
export class NotRefundable {
  @IsString() readonly obstacle: string;

  constructor(obstacle: string) {
    this.obstacle = obstacle;
  }
}

@Command('payment.capture', { key: 'orderId' })
export class CapturePayment extends Command<PaymentCaptured, PaymentDeclined> {
  constructor(
    readonly orderId: string,
    readonly total: number,
  ) {
    super();
  }
}

@Command('payment.refund', { key: 'orderId' })
export class RefundPayment extends Command<PaymentRefunded, NotRefundable> {
  constructor(readonly orderId: string) {
    super();
  }
}

@Reply('order.confirmed-reply')
export class OrderConfirmed {
  @IsInt() readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

@Command('order.confirm', { key: 'orderId' })
export class ConfirmOrder extends Command<OrderConfirmed> {
  @IsString() readonly orderId: string;
  @IsString() readonly payment: string;

  constructor(orderId: string, payment: string) {
    super();
    this.orderId = orderId;
    this.payment = payment;
  }
}

@Reply('order.rejected-reply')
export class OrderRejected {
  @IsString() readonly rejected: string;

  constructor(rejected: string) {
    this.rejected = rejected;
  }
}

@Command('order.reject', { key: 'orderId' })
export class RejectOrder extends Command<OrderRejected> {
  constructor(
    readonly orderId: string,
    readonly reason: string,
  ) {
    super();
  }
}

export interface PlaceOrderState {
  orderId: string;
  total: number;
  reservation?: string;
  payment?: string;
}

export const placeOrder = saga<PlaceOrderState>()
  .startsOn(OrderPlaced, ({ orderId, total }) => ({ orderId, total }))
  .step('reserve stock', (s) =>
    s
      .sends(({ orderId }) => new ReserveStock(orderId))
      .onReply(StockReserved, (state, { reservation }) => ({ ...state, reservation }))
      .failsOn(OutOfStock, (_, { sku }) => `no ${sku} left`)
      .compensates(({ orderId }) => new ReleaseStock(orderId))
      .within('10s')
      .retries(2),
  )
  .step('check credit', (s) =>
    s
      .sends(({ orderId, total }) => new CheckCredit(orderId, total))
      .onReply(CreditChecked)
      .failsOn(NotCreditworthy),
  )
  .step('take payment', (s) =>
    s
      .sends(({ orderId, total }) => new CapturePayment(orderId, total))
      .onReply(PaymentCaptured, (state, { payment }) => ({ ...state, payment }))
      .failsOn(PaymentDeclined)
      .compensates(({ orderId }) => new RefundPayment(orderId), { within: '5s', attempts: 3 }),
  )
  .pivot()
  .step('confirm order', (s) =>
    s
      .sends(({ orderId, payment }) => new ConfirmOrder(orderId, payment ?? 'none'))
      .within(20_000)
      .untilDone(),
  )
  .onCompensated(({ orderId }, { reason }) => new RejectOrder(orderId, reason))
  .named('place-order');
