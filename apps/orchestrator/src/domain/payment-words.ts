import { Command, Reply } from '@millrace/messages';
import type { Data } from '@shop/contracts/data';
import { Money } from '@shop/contracts/money';
import { PAYMENT_METHODS } from '@shop/contracts/order';
import type { PaymentMethod } from '@shop/contracts/order';
import { Type } from 'class-transformer';
import { IsIn, IsNotEmpty, IsObject, IsString, ValidateNested } from 'class-validator';

// Payments in the words of this context, which thinks in orders. `payment-boundary.ts` translates them.

@Reply('place-order.payment-authorized')
export class PaymentAuthorized {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<PaymentAuthorized>) {
    Object.assign(this, data);
  }
}

@Reply('place-order.payment-declined', { failure: true })
export class PaymentDeclined {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<PaymentDeclined>) {
    Object.assign(this, data);
  }
}

@Command('place-order.authorize-payment', { key: 'orderId' })
export class AuthorizePayment extends Command<PaymentAuthorized, PaymentDeclined> {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsObject() @ValidateNested() @Type(() => Money) readonly total!: Money;
  @IsIn(PAYMENT_METHODS) readonly method!: PaymentMethod;

  constructor(data: Data<AuthorizePayment>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('place-order.payment-captured')
export class PaymentCaptured {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<PaymentCaptured>) {
    Object.assign(this, data);
  }
}

@Reply('place-order.payment-not-captured', { failure: true })
export class PaymentNotCaptured {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<PaymentNotCaptured>) {
    Object.assign(this, data);
  }
}

@Command('place-order.capture-payment', { key: 'orderId' })
export class CapturePayment extends Command<PaymentCaptured, PaymentNotCaptured> {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<CapturePayment>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('place-order.payment-undone')
export class PaymentUndone {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<PaymentUndone>) {
    Object.assign(this, data);
  }
}

@Command('place-order.void-payment', { key: 'orderId' })
export class VoidPayment extends Command<PaymentUndone> {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<VoidPayment>) {
    super();
    Object.assign(this, data);
  }
}

@Command('place-order.refund-payment', { key: 'orderId' })
export class RefundPayment extends Command<PaymentUndone> {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<RefundPayment>) {
    super();
    Object.assign(this, data);
  }
}
