import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsISO4217CurrencyCode, IsNotEmpty, IsString, Min } from 'class-validator';
import type { Data } from './data.js';

// The payment service's own words: it knows references and minor units, not orders.

@Event('payment.authorization-made', { key: 'reference' })
export class AuthorizationMade {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsInt() @Min(0) readonly amountMinor!: number;
  @IsISO4217CurrencyCode() readonly ccy!: string;
  /** The bank's own number. */
  @IsString() @IsNotEmpty() readonly authorization!: string;
  @IsString() @IsNotEmpty() readonly method!: string;

  constructor(data: Data<AuthorizationMade>) {
    Object.assign(this, data);
  }
}

@Event('payment.authorization-declined', { key: 'reference' })
export class AuthorizationDeclined {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsString() @IsNotEmpty() readonly code!: string;

  constructor(data: Data<AuthorizationDeclined>) {
    Object.assign(this, data);
  }
}

/** The reserved amount is free again. */
@Event('payment.authorization-voided', { key: 'reference' })
export class AuthorizationVoided {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<AuthorizationVoided>) {
    Object.assign(this, data);
  }
}

@Event('payment.charge-captured', { key: 'reference' })
export class ChargeCaptured {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsInt() @Min(0) readonly amountMinor!: number;
  @IsISO4217CurrencyCode() readonly ccy!: string;

  constructor(data: Data<ChargeCaptured>) {
    Object.assign(this, data);
  }
}

@Event('payment.capture-refused', { key: 'reference' })
export class CaptureRefused {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsString() @IsNotEmpty() readonly code!: string;

  constructor(data: Data<CaptureRefused>) {
    Object.assign(this, data);
  }
}

@Event('payment.charge-refunded', { key: 'reference' })
export class ChargeRefunded {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsInt() @Min(0) readonly amountMinor!: number;

  constructor(data: Data<ChargeRefunded>) {
    Object.assign(this, data);
  }
}

/** Undone before it was done: what comes later is refused. */
@Event('payment.payment-closed', { key: 'reference' })
export class PaymentClosed {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<PaymentClosed>) {
    Object.assign(this, data);
  }
}

@Reply('payment.authorized')
export class Authorized {
  @IsString() @IsNotEmpty() readonly reference!: string;
  /** The bank's own number. */
  @IsString() @IsNotEmpty() readonly authorization!: string;

  constructor(data: Data<Authorized>) {
    Object.assign(this, data);
  }
}

@Reply('payment.declined', { failure: true })
export class Declined {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsString() @IsNotEmpty() readonly code!: string;

  constructor(data: Data<Declined>) {
    Object.assign(this, data);
  }
}

/** Reserves an amount on the card. Repeating it gets the first answer again. */
@Command('payment.authorize', { key: 'reference', replies: [Authorized, Declined] })
export class Authorize extends Command<Authorized, Declined> {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsInt() @Min(0) readonly amountMinor!: number;
  @IsISO4217CurrencyCode() readonly ccy!: string;
  @IsString() @IsNotEmpty() readonly method!: string;

  constructor(data: Data<Authorize>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('payment.captured')
export class Captured {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Captured>) {
    Object.assign(this, data);
  }
}

@Reply('payment.capture-failed', { failure: true })
export class CaptureFailed {
  @IsString() @IsNotEmpty() readonly reference!: string;
  @IsString() @IsNotEmpty() readonly code!: string;

  constructor(data: Data<CaptureFailed>) {
    Object.assign(this, data);
  }
}

/** Takes the reserved amount, once however often it is asked to. */
@Command('payment.capture', { key: 'reference', replies: [Captured, CaptureFailed] })
export class Capture extends Command<Captured, CaptureFailed> {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Capture>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('payment.voided')
export class Voided {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Voided>) {
    Object.assign(this, data);
  }
}

/** Undoes `Authorize`. When it comes first, a later one is declined. */
@Command('payment.void', { key: 'reference', replies: [Voided] })
export class Void extends Command<Voided> {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Void>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('payment.refunded')
export class Refunded {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Refunded>) {
    Object.assign(this, data);
  }
}

/** Undoes `Capture`. When it comes first, a later one fails. */
@Command('payment.refund', { key: 'reference', replies: [Refunded] })
export class Refund extends Command<Refunded> {
  @IsString() @IsNotEmpty() readonly reference!: string;

  constructor(data: Data<Refund>) {
    super();
    Object.assign(this, data);
  }
}
