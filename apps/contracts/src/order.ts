import { Command, Event, Reply } from '@millrace/messages';
import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsString,
  IsUUID,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Data } from './data.js';
import { Money } from './money.js';

/** How a customer pays; all but the first make the simulated bank misbehave. */
export const PAYMENT_METHODS = ['card-ok', 'card-declined', 'card-slow', 'card-slow-capture'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export class OrderLine {
  @IsString() @IsNotEmpty() readonly sku: string;
  @IsInt() @Min(1) readonly quantity: number;
  /** Minor units of the order's currency, as the price was when the order was placed. */
  @IsInt() @Min(0) readonly unitPrice: number;

  constructor(sku: string, quantity: number, unitPrice: number) {
    this.sku = sku;
    this.quantity = quantity;
    this.unitPrice = unitPrice;
  }
}

@Event('order.placed', { key: 'orderId' })
export class OrderPlaced {
  @IsUUID() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly customerId!: string;
  @ArrayNotEmpty() @ValidateNested({ each: true }) @Type(() => OrderLine) readonly lines!: readonly OrderLine[];
  @IsObject() @ValidateNested() @Type(() => Money) readonly total!: Money;
  @IsIn(PAYMENT_METHODS) readonly paymentMethod!: PaymentMethod;

  constructor(data: Data<OrderPlaced>) {
    Object.assign(this, data);
  }
}

@Event('order.confirmed', { key: 'orderId' })
export class OrderConfirmed {
  @IsUUID() readonly orderId!: string;

  constructor(data: Data<OrderConfirmed>) {
    Object.assign(this, data);
  }
}

@Event('order.rejected', { key: 'orderId' })
export class OrderRejected {
  @IsUUID() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<OrderRejected>) {
    Object.assign(this, data);
  }
}

@Reply('order.confirm-done')
export class ConfirmDone {
  @IsUUID() readonly orderId!: string;

  constructor(data: Data<ConfirmDone>) {
    Object.assign(this, data);
  }
}

/** Stock and money are certain. Repeating it changes nothing. */
@Command('order.confirm', { key: 'orderId', replies: [ConfirmDone] })
export class ConfirmOrder extends Command<ConfirmDone> {
  @IsUUID() readonly orderId!: string;

  constructor(data: Data<ConfirmOrder>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('order.reject-done')
export class RejectDone {
  @IsUUID() readonly orderId!: string;

  constructor(data: Data<RejectDone>) {
    Object.assign(this, data);
  }
}

/** The order cannot be fulfilled, and nothing of it is kept. Repeating it changes nothing. */
@Command('order.reject', { key: 'orderId', replies: [RejectDone] })
export class RejectOrder extends Command<RejectDone> {
  @IsUUID() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<RejectOrder>) {
    super();
    Object.assign(this, data);
  }
}
