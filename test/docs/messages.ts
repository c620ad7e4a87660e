import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString, Min } from 'class-validator';

/** The messages of docs/guides/first-service.md. */

@Reply('catalog.stock-reserved')
export class StockReserved {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Reply('catalog.out-of-stock', { failure: true })
export class OutOfStock {
  @IsString() readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

@Command('catalog.reserve-stock', { key: 'sku' })
export class ReserveStock extends Command<StockReserved, OutOfStock> {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    super();
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Event('catalog.stock-held', { key: 'sku' })
export class StockHeld {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Event('catalog.stock-freed', { key: 'sku' })
export class StockFreed {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Reply('catalog.stock-released')
export class StockReleased {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Command('catalog.release-stock', { key: 'sku' })
export class ReleaseStock extends Command<StockReleased> {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    super();
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Reply('payment.charged')
export class Charged {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Reply('payment.declined', { failure: true })
export class Declined {
  @IsString() readonly orderId: string;
  @IsString() readonly reason: string;

  constructor(orderId: string, reason: string) {
    this.orderId = orderId;
    this.reason = reason;
  }
}

@Command('payment.charge', { key: 'orderId' })
export class Charge extends Command<Charged, Declined> {
  @IsString() readonly orderId: string;
  @IsInt() @Min(0) readonly cents: number;

  constructor(orderId: string, cents: number) {
    super();
    this.orderId = orderId;
    this.cents = cents;
  }
}

@Reply('payment.refunded')
export class Refunded {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Command('payment.refund', { key: 'orderId' })
export class Refund extends Command<Refunded> {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    super();
    this.orderId = orderId;
  }
}

@Event('order.placed', { key: 'orderId' })
export class OrderPlaced {
  @IsString() readonly orderId: string;
  @IsString() readonly sku: string;
  @IsInt() @Min(0) readonly cents: number;

  constructor(orderId: string, sku: string, cents: number) {
    this.orderId = orderId;
    this.sku = sku;
    this.cents = cents;
  }
}

@Reply('order.closed')
export class OrderClosed {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Command('order.confirm', { key: 'orderId' })
export class ConfirmOrder extends Command<OrderClosed> {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    super();
    this.orderId = orderId;
  }
}

@Command('order.reject', { key: 'orderId' })
export class RejectOrder extends Command<OrderClosed> {
  @IsString() readonly orderId: string;
  @IsString() readonly reason: string;

  constructor(orderId: string, reason: string) {
    super();
    this.orderId = orderId;
    this.reason = reason;
  }
}
