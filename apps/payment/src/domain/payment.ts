import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import {
  AuthorizationDeclined,
  AuthorizationMade,
  AuthorizationVoided,
  CaptureRefused,
  ChargeCaptured,
  ChargeRefunded,
  PaymentClosed,
} from '@shop/contracts/payment';
import type { Data } from '@shop/contracts/data';

export type PaymentStatus = 'new' | 'authorized' | 'declined' | 'captured' | 'voided' | 'refunded';

/** What is known of one payment. The bank has the money; this remembers what it answered. */
@Aggregate('payment')
export class Payment extends AggregateRoot {
  status: PaymentStatus = 'new';
  /** Undone before it was done: it goes no further. */
  closed = false;
  authorization = '';
  method = '';
  /** Why it was declined, or could not be captured. */
  code = '';

  authorize(made: Omit<Data<AuthorizationMade>, 'reference'>): void {
    this.record(new AuthorizationMade({ reference: this.id, ...made }));
  }

  decline(code: string): void {
    this.record(new AuthorizationDeclined({ reference: this.id, code }));
  }

  capture(amountMinor: number, ccy: string): void {
    this.record(new ChargeCaptured({ reference: this.id, amountMinor, ccy }));
  }

  refuseCapture(code: string): void {
    if (this.code !== code) this.record(new CaptureRefused({ reference: this.id, code }));
  }

  void(): void {
    this.record(new AuthorizationVoided({ reference: this.id }));
  }

  refund(amountMinor: number): void {
    this.record(new ChargeRefunded({ reference: this.id, amountMinor }));
  }

  close(): void {
    if (!this.closed) this.record(new PaymentClosed({ reference: this.id }));
  }

  @Apply(AuthorizationMade) protected authorized({ authorization, method }: AuthorizationMade): void {
    this.status = 'authorized';
    this.authorization = authorization;
    this.method = method;
  }

  @Apply(AuthorizationDeclined) protected declined({ code }: AuthorizationDeclined): void {
    this.status = 'declined';
    this.code = code;
  }

  @Apply(ChargeCaptured) protected captured(): void {
    this.status = 'captured';
  }

  @Apply(CaptureRefused) protected captureRefused({ code }: CaptureRefused): void {
    this.code = code;
  }

  @Apply(AuthorizationVoided) protected voided(): void {
    this.status = 'voided';
  }

  @Apply(ChargeRefunded) protected refunded(): void {
    this.status = 'refunded';
  }

  @Apply(PaymentClosed) protected wasClosed(): void {
    this.closed = true;
  }
}
